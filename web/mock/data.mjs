// A small made-up company, the same at every start but for today's date: 2,000 deals over 104 weeks, kept in memory.
import { byName } from './registry.mjs'

let seed = 20_170_626
function random() { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
const pick = (list) => list[Math.floor(random() * list.length)]
const money = (amount) => ({ amount: amount.toFixed(2), currency: 'USD' })

export const store = new Map()
const numbers = new Map()
export const changes = []

/** put writes one change as the record engine would: version, change row, image. */
export function put(object, id, fields, { kind, actor, cause, happenedAt, deleted = false }) {
  const recordedAt = new Date().toISOString()
  const old = store.get(id)
  const before = old?.fields ?? {}
  const merged = { ...before, ...fields }
  const record = {
    id, object, version: (old?.version ?? 0) + 1, created_at: old?.created_at ?? recordedAt, updated_at: recordedAt,
    happened_at: happenedAt ?? recordedAt, deleted, fields: merged,
  }
  store.set(id, record)
  changes.push({
    position: changes.length + 1, happened_at: happenedAt ?? recordedAt, recorded_at: recordedAt, happened_unknown: false,
    actor, cause, kind, version: record.version, object, id,
    fields: Object.keys(fields).filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(fields[name] ?? null))
      .map((name) => ({ field: name, before: before[name] ?? null, after: fields[name] ?? null })),
  })
  return record
}

export function nextId(object) {
  const number = (numbers.get(object) ?? 0) + 1
  numbers.set(object, number)
  return `${object}_${number}`
}

const system = { kind: 'system', id: null, name: 'Canopy' }
function create(object, fields, happenedAt) {
  const empty = Object.fromEntries(byName.get(object).fields.map((field) => [field.name, null]))
  return put(object, nextId(object), { ...empty, ...fields }, { kind: 'created', actor: system, cause: 'demo', happenedAt }).id
}

/** titled gives a record with the titles of what it refers to. */
export function titled(record) {
  const titles = {}
  for (const field of byName.get(record.object).fields) {
    if (field.kind !== 'reference' || !record.fields[field.name]) continue
    titles[field.name] = titleOf(record.fields[field.name])
  }
  return { ...record, titles }
}

export function titleOf(id) {
  const record = store.get(id)
  return record ? String(record.fields[byName.get(record.object).title] ?? id) : null
}

const week = 7 * 86_400_000
export const today = new Date()
export function monday(at) {
  const text = at.toISOString().slice(0, 10)
  const date = new Date(`${text}T00:00:00Z`)
  return new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10)
}
const start = Date.parse(`${monday(today)}T00:00:00Z`) - 104 * week
const at = (ms) => new Date(Math.min(ms, today.getTime() - 60_000)).toISOString()

const admin = create('user', { name: 'Canopy Admin', email: 'admin@canopy.local', role: 'administrator', scope: 'all', active: true }, at(start))
const territories = ['Central', 'East', 'West']
const people = ['Ada Lindqvist', 'Marcus Keane', 'Jana Schmidt', 'Rui Tavares', 'Priya Nair', 'Dmitri Volkov', 'Finn Nygaard', 'Leila Haddad', 'Tom Okafor']
const teams = territories.map((territory) => create('team', { name: `${territory} team`, territory }, at(start)))
const users = people.map((name, i) => create('user', {
  name, email: `${name.split(' ')[0].toLowerCase()}@example.com`, role: 'editor', scope: 'team', team: teams[i % 3], territory: territories[i % 3], active: true,
}, at(start)))
const products = [['GTX Basic', 'GTX', 550], ['GTX Pro', 'GTX', 4821], ['GTX Plus Basic', 'GTX', 1096], ['MG Special', 'MG', 55], ['MG Advanced', 'MG', 3393], ['GTK 500', 'GTK', 26768]]
  .map(([name, series, price]) => ({ id: create('product', { name, series, list_price: money(price), active: true }, at(start)), price }))
const pipeline = create('pipeline', { name: 'B2B sales', active: true }, at(start))
export const stages = [['Prospecting', 'open', 0.1], ['Engaging', 'open', 0.3], ['Proposal', 'open', 0.6], ['Won', 'won', 1], ['Lost', 'lost', 0]]
  .map(([name, status, probability], i) => create('stage', { key: `B2B sales/${name}`, name, pipeline, rank: i + 1, status, probability }, at(start)))
const firsts = ['Kestrel', 'Alder', 'Meridian', 'Fjord', 'Saltmarsh', 'Juniper', 'Northwind', 'Otter', 'Blue Harbor', 'Paper Lantern', 'Quarry', 'Tamarack']
const lasts = ['Freight', 'Labs', 'Schools', 'Analytics', 'Energy', 'Clinics', 'Foods', 'Robotics']
const accounts = firsts.flatMap((first) => lasts.map((last) => {
  const owner = pick(users)
  return create('account', { name: `${first} ${last}`, sector: pick(['technology', 'retail', 'medical', 'finance']), country: pick(['US', 'DE', 'KR', 'BR']), owner, team: store.get(owner).fields.team, territory: store.get(owner).fields.territory, tags: ['customer'] }, at(start))
}))
const contacts = accounts.slice(0, 40).map((account, i) => create('contact', { name: `${pick(['Noor', 'Sam', 'Elif', 'Kofi', 'Mai'])} ${pick(['Berg', 'Chen', 'Osei', 'Silva', 'Kaya'])} ${i + 1}`, email: `person${i + 1}@example.com`, account }, at(start)))

const weights = [0.72, 0.86, 1, 1.1]
for (let i = 0; i < 2000; i++) {
  const opened = start + random() * 103.6 * week
  const owner = pick(users)
  const product = pick(products)
  const list = product.price * (1 + Math.floor(random() * 4))
  const account = random() < 0.15 ? null : pick(accounts)
  const decided = opened + (0.8 + random() * 9) * week
  const season = weights[Math.floor(((opened - start) / week / 13) % 4)]
  const isOpen = decided > today.getTime() - 60_000
  const won = random() < 0.62 * (0.9 + 0.12 * season)
  const stage = isOpen ? pick(stages.slice(0, 3)) : stages[won ? 3 : 4]
  const status = isOpen ? 'open' : won ? 'won' : 'lost'
  const source = pick(['inbound', 'inbound', 'outbound', 'partner'])
  create('deal', {
    name: `${account ? titleOf(account) : 'Unnamed buyer'} · ${titleOf(product.id)}`, external_id: `D${10_000 + i}`, account, contact: account && random() < 0.4 ? pick(contacts) : null,
    pipeline, stage, status, stage_entered_at: at(isOpen ? opened + week / 2 : decided), opened_at: at(opened), closed_at: isOpen ? null : at(decided),
    amount: money(won || isOpen ? list * (won ? 0.8 + random() * 0.2 : 1) : 0), list_value: money(list), product: product.id, source,
    expected_close_on: isOpen ? at(decided).slice(0, 10) : null, next_step: isOpen && random() < 0.6 ? pick(['Send security pack', 'Demo with CFO', 'Chase approval', 'Book kickoff']) : null,
    lost_reason: status === 'lost' ? pick(['price', 'competitor', 'no_budget', 'timing']) : null, owner, team: store.get(owner).fields.team, territory: store.get(owner).fields.territory,
  }, at(isOpen ? opened + week / 2 : decided))
}
for (let i = 0; i < 60; i++) {
  const deal = `deal_${1 + Math.floor(random() * 2000)}`
  create('activity', { subject: pick(['Intro call', 'Pricing mail', 'Demo', 'Security questions']), type: pick(['call', 'email', 'meeting', 'note']), outcome: 'reached', done_at: at(today.getTime() - random() * 20 * week), deal, owner: pick(users) }, at(today.getTime() - random() * 20 * week))
}
export const me = {
  user: { id: admin, name: 'Canopy Admin', email: 'admin@canopy.local' }, role: 'administrator', scope: { kind: 'all' },
  workspace: { name: 'Demo company', zone: 'America/New_York', week_start: 'monday', currency: 'USD', locale: 'en-US' },
}
