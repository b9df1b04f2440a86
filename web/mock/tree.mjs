// The weekly tree of the made-up company, with exact contributions (Shapley for products), rounded so that each level adds up to the cent.
import { changes, monday, store, titleOf, today } from './data.mjs'
import { day } from './predicate.mjs'

const amount = (value) => (value ? Number(value.amount) : 0)
export const splits = [{ name: 'region', label: 'Region' }, { name: 'product_series', label: 'Product series' }, { name: 'source', label: 'Source' }]
const keyOf = {
  region: (deal) => deal.fields.territory, source: (deal) => deal.fields.source, product_series: (deal) => store.get(deal.fields.product)?.fields.series,
}
const filterOf = {
  region: (key) => ({ field: 'territory', op: 'eq', value: key }), source: (key) => ({ field: 'source', op: 'eq', value: key }),
  product_series: (key) => ({ field: 'product', op: 'related', where: { field: 'series', op: 'eq', value: key } }),
}

export function weeks() {
  const last = monday(today)
  return Array.from({ length: 92 }, (_, i) => day(last, (i - 91) * 7)).map((of) => ({ week_of: of, value: numbers(of, 'region').won_revenue }))
}

function numbers(of, split) {
  const to = day(of, 7)
  const decided = [...store.values()].filter((record) => record.object === 'deal' && !record.deleted && record.fields.closed_at >= of && record.fields.closed_at.slice(0, 10) < to)
  const won = decided.filter((deal) => deal.fields.status === 'won')
  const revenue = won.reduce((sum, deal) => sum + amount(deal.fields.amount), 0)
  const list = won.reduce((sum, deal) => sum + amount(deal.fields.list_value), 0)
  const out = {
    won_revenue: revenue, decided_deals: decided.length, win_rate: decided.length ? won.length / decided.length : null,
    average_won_value: won.length ? revenue / won.length : null, list_value: won.length ? list / won.length : null, net_price: list ? revenue / list : null,
  }
  for (const key of keysOf(split)) out[`decided_deals.${key}`] = decided.filter((deal) => keyOf[split](deal) === key).length
  return out
}

function keysOf(split) {
  return [...new Set([...store.values()].filter((record) => record.object === 'deal').map(keyOf[split]).filter(Boolean))].sort()
}

function product(now, before, k) {
  const names = Object.keys(now)
  const orders = (list) => (list.length < 2 ? [list] : list.flatMap((each) => orders(list.filter((other) => other !== each)).map((rest) => [each, ...rest])))
  const out = Object.fromEntries(names.map((name) => [name, 0]))
  const all = orders(names)
  for (const order of all) {
    order.forEach((name, i) => {
      const others = order.reduce((sum, other, j) => (j === i ? sum : sum * (j < i ? now[other] : before[other])), 1)
      out[name] += (k * others * (now[name] - before[name])) / all.length
    })
  }
  return out
}

function rounded(parts, total) {
  const cents = Object.entries(parts).map(([name, value]) => [name, Math.round(value * 100)])
  const gap = Math.round(total * 100) - cents.reduce((sum, [, value]) => sum + value, 0)
  const largest = cents.reduce((a, b) => (Math.abs(b[1]) > Math.abs(a[1]) ? b : a))
  largest[1] += gap
  return Object.fromEntries(cents.map(([name, value]) => [name, value / 100]))
}

const labels = {
  won_revenue: ['Won revenue', 'Won revenue', 'money', 'product', 'decided deals × win rate × average won value', 'Agreed value of the deals that were won in the week.'],
  decided_deals: ['Decided deals', 'Decided', 'count', 'sum', 'sum over the split', 'Deals that were won or lost in the week.'],
  win_rate: ['Win rate', 'Win rate', 'share', 'input', 'won ÷ decided, on the same deals', 'Share of the decided deals that were won.'],
  average_won_value: ['Average won value', 'Avg value', 'money', 'product', 'list value per deal × net price realised', 'Agreed value of a won deal, on average.'],
  list_value: ['List value per deal', 'List value', 'money', 'input', 'list value of won deals ÷ won deals', 'Value at list prices of a won deal, on average.'],
  net_price: ['Net price realised', 'Net price', 'share', 'input', 'agreed value ÷ list value, of won deals', 'What is left of the list price.'],
}
const owners = ['Ada Lindqvist', 'Marcus Keane', 'Dmitri Volkov', 'Finn Nygaard']

export function tree(of, compare, split) {
  const beforeOf = compare === 'last_year' ? day(of, -364) : day(of, -7)
  const now = numbers(of, split)
  const history = Array.from({ length: 13 }, (_, i) => day(of, (i - 12) * 7)).map((week) => ({ week, values: numbers(week, split) }))
  const mean = (id) => history.slice(8, 12).reduce((sum, each) => sum + (each.values[id] ?? 0), 0) / 4
  const target = Object.fromEntries(Object.keys(now).map((id) => [id, mean(id) * 1.03]))
  const before = compare === 'target' ? target : numbers(beforeOf, split)
  const keys = keysOf(split)
  const change = Math.round((now.won_revenue - before.won_revenue) * 100) / 100
  const side = (values, names) => Object.fromEntries(names.map((name) => [name, values[name] ?? 0]))
  const top = ['decided_deals', 'win_rate', 'average_won_value']
  const first = rounded(product(side(now, top), side(before, top), 1), change)
  const leaves = keys.map((key) => `decided_deals.${key}`)
  const gap = now.decided_deals - before.decided_deals
  const k = gap === 0 ? (now.win_rate ?? 0) * (now.average_won_value ?? 0) : first.decided_deals / gap
  const second = rounded(Object.fromEntries(leaves.map((id) => [id, k * (now[id] - before[id])])), first.decided_deals)
  const pair = ['list_value', 'net_price']
  const raw = product(side(now, pair), side(before, pair), 1)
  const step = raw.list_value + raw.net_price
  const third = rounded(Object.fromEntries(pair.map((id) => [id, step === 0 ? 0 : (raw[id] / step) * first.average_won_value])), first.average_won_value)
  const contribution = { won_revenue: change, ...first, ...second, ...third }

  const complete = day(of, 7) <= today.toISOString().slice(0, 10)
  const rows = [['won_revenue', null], ['decided_deals', 'won_revenue'], ...leaves.map((id) => [id, 'decided_deals']), ['win_rate', 'won_revenue'], ['average_won_value', 'won_revenue'], ['list_value', 'average_won_value'], ['net_price', 'average_won_value']]
  const nodes = rows.map(([id, parent], i) => {
    const key = id.split('.')[1]
    const [label, short, unit, op, formula, definition] = labels[id] ?? [`${key[0].toUpperCase()}${key.slice(1)} decided`, key, 'count', 'input', 'count of deals', `Deals of ${key} that were won or lost in the week.`]
    const values = history.map((each) => each.values[id]).filter((value) => value !== null)
    const sorted = [...values].sort((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0
    const spread = [...values].map((value) => Math.abs(value - median)).sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
    const [low, high] = [median - 1.2 * spread, median + 1.2 * spread]
    const mean4 = mean(id)
    const filter = { and: [{ field: 'closed_at', op: 'in_week', value: of }, ...(key ? [filterOf[split](key)] : []), ...(['won_revenue', 'average_won_value', 'list_value', 'net_price'].includes(id) ? [{ field: 'status', op: 'eq', value: 'won' }] : [])] }
    const round = (value) => (value === null || value === undefined ? null : unit === 'money' ? Math.round(value * 100) / 100 : value)
    return {
      id, parent, label, short_label: short[0].toUpperCase() + short.slice(1), unit, better: 'up', op, now: round(now[id]), before: round(before[id]), target: round(target[id]), contribution: contribution[id],
      reason: now[id] === null ? 'no deal was decided in this week' : null, before_reason: before[id] === null ? 'no deal was decided in that week' : null,
      series: history.map((each) => ({ week_of: each.week, value: round(each.values[id]) })), mean4: round(mean4), last_year: round(numbers(day(of, -364), split)[id]),
      small_base: unit === 'count' && Math.min(now[id], before[id]) < 4, usual_range: { low: round(low), high: round(high), inside: now[id] >= low && now[id] <= high },
      owner: { id: `user_${i + 2}`, name: owners[i % owners.length] }, complete, as_of: changes.length, formula, definition, drill: { object: 'deal', filter },
    }
  })
  const leafNodes = nodes.filter((node) => !nodes.some((other) => other.parent === node.id))
  const bridge = leafNodes.map((node) => ({ node: node.id, label: node.short_label, contribution: node.contribution })).sort((a, b) => b.contribution - a.contribution)
  const number = weekNumber(of)
  return {
    tree: 'b2b_pipeline', label: 'B2B pipeline', week: { of, to: day(of, 7), number, label: `Week ${number}`, complete, days_elapsed: complete ? 7 : ((today.getUTCDay() + 6) % 7) + 1 },
    compare: { kind: compare, week_of: compare === 'target' ? null : beforeOf, label: { previous: 'last week', last_year: 'the same week last year', target: 'target' }[compare] },
    zone: 'America/New_York', currency: 'USD', split, splits, as_of: { position: changes.length, told_at: new Date().toISOString() }, provisional: false, warnings: [],
    lede: {
      value: nodes[0].now, before: nodes[0].before, change, change_share: nodes[0].before ? change / nodes[0].before : null, target_share: nodes[0].target ? nodes[0].now / nodes[0].target : null,
      push: bridge[0].contribution > 0 ? bridge[0] : null, drag: bridge.at(-1).contribution < 0 ? bridge.at(-1) : null,
    },
    nodes, edges: nodes.filter((node) => node.parent).map((node) => ({ from: node.parent, to: node.id, op: nodes.find((each) => each.id === node.parent).op })), bridge,
  }
}

/** weekNumber is the ISO week's number. */
function weekNumber(of) {
  const thursday = new Date(Date.parse(`${of}T00:00:00Z`) + 3 * 86_400_000)
  return 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (7 * 86_400_000))
}

export { titleOf }
