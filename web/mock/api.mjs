// The routes of the mock, in the shapes of the program's API.
import { randomBytes } from 'node:crypto'
import { changes, me, nextId, put, stages, store, titled, titleOf } from './data.mjs'
import { importRoutes } from './imports.mjs'
import { comparable, matches } from './predicate.mjs'
import { byName, fieldOf, objects } from './registry.mjs'
import { splits, tree, weeks } from './tree.mjs'

const sessions = new Set()
const runs = [
  { id: 2, room: 'kpi', status: 'done', weeks: ['2026-11-09'], done: 1, changed: 1, rows_read: 96, seconds: 0.031, created_at: new Date(Date.now() - 3_600_000).toISOString(), started_at: new Date(Date.now() - 3_600_000).toISOString(), finished_at: new Date(Date.now() - 3_599_000).toISOString(), position: changes.length, cause: 'schedule', definition: '3f9a' },
  { id: 1, room: 'kpi', status: 'failed', weeks: ['2026-10-26', '2026-11-02'], done: 0, changed: 0, rows_read: 0, seconds: 0, created_at: new Date(Date.now() - 90_000_000).toISOString(), started_at: new Date(Date.now() - 90_000_000).toISOString(), finished_at: new Date(Date.now() - 89_999_000).toISOString(), position: 0, error: 'the warehouse was away', cause: 'schedule', definition: '3f9a' },
]

export function fail(status, code, message, more = {}) {
  return Object.assign(new Error(message), { status, code, ...more })
}

export function api(request, response, url, body, password) {
  const answer = (status, value, headers = {}) => {
    const text = value === undefined ? '' : JSON.stringify(value)
    response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json', 'x-request-id': randomBytes(4).toString('hex'), ...headers }).end(text)
  }
  try {
    const path = url.pathname.replace(/^\/api\/v1/, '')
    const json = () => (body.length === 0 ? {} : JSON.parse(body.toString()))
    if (path === '/session' && request.method === 'POST') {
      const { email, password: given } = json()
      if (email !== 'admin@canopy.local' || given !== password) throw fail(401, 'unauthenticated', 'e-mail and password do not fit together')
      const token = randomBytes(16).toString('hex')
      sessions.add(token)
      return answer(200, me, { 'set-cookie': `canopy_session=${token}; Path=/; HttpOnly; SameSite=Lax` })
    }
    const cookie = /canopy_session=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1]
    if (!sessions.has(cookie)) throw fail(401, 'unauthenticated', 'sign in first')
    if (path === '/session' && request.method === 'DELETE') {
      sessions.delete(cookie)
      return answer(204, undefined)
    }
    const context = { request, url, json, body, answer, path, method: request.method, query: url.searchParams }
    for (const route of [importRoutes, recordRoutes, readRoutes]) if (route(context) !== false) return undefined
    throw fail(404, 'not_found', `there is no ${path}`)
  } catch (error) {
    const { status = 500, code = 'internal', message, ...more } = error
    if (status === 500) console.error(error)
    return answer(status, { type: 'about:blank', title: code, status, detail: message, code, ...more })
  }
}

function readRoutes({ path, method, query, answer, json }) {
  if (path === '/me') return answer(200, me)
  if (path === '/objects') return answer(200, { objects })
  if (path === '/trees') return answer(200, { trees: [{ name: 'b2b_pipeline', label: 'B2B pipeline', splits }] })
  if (path === '/trees/b2b_pipeline/weeks') return answer(200, { weeks: weeks() })
  if (path === '/trees/b2b_pipeline') return answer(200, tree(query.get('week_of'), query.get('compare') ?? 'previous', query.get('split') ?? 'region'))
  if (path === '/relay') {
    return answer(200, { position: changes.length, head: changes.length, lag_changes: 0, lag_seconds: 0, last_error: null, batch: 41, incarnation: '5f1c9a', state: 'running' })
  }
  if (path === '/runs' && method === 'GET') return answer(200, { items: runs })
  if (path === '/runs' && method === 'POST') {
    const { room, from, to } = json()
    const run = { id: runs.length + 1, room, status: 'running', weeks: [from, to], done: 1, changed: 0, rows_read: 40, seconds: 0.2, created_at: new Date().toISOString(), started_at: new Date().toISOString(), position: changes.length, cause: 'backfill', definition: '3f9a' }
    runs.unshift(run)
    return answer(202, run)
  }
  const cancel = /^\/runs\/(\w+)\/cancel$/.exec(path)
  if (cancel) {
    const run = runs.find((each) => each.id === Number(cancel[1]))
    Object.assign(run, { status: 'cancelled', finished_at: new Date().toISOString() })
    return answer(200, run)
  }
  return false
}

function recordRoutes(context) {
  const { path, method, query, json, answer } = context
  if (path === '/batch' && method === 'POST') {
    return answer(200, { results: json().operations.map(({ object, fields, happened_at: at }) => ({ status: 201, record: titled(create(object, fields, at)) })) })
  }
  const [, object, id, verb] = /^\/records\/([a-z_]+)(?:\/([a-z_]+_\d+))?(?:\/(\w+))?$/.exec(path) ?? []
  if (!object) return false
  if (!byName.has(object)) throw fail(404, 'not_found', `there is no object "${object}"`)
  if (!id && method === 'GET') return answer(200, list(object, query))
  if (!id && method === 'POST') {
    const { fields, happened_at: at } = json()
    const record = create(object, fields, at)
    return answer(201, titled(record), { etag: `"${record.version}"` })
  }
  const record = store.get(id)
  if (!record || record.object !== object) throw fail(404, 'not_found', `there is no ${object} "${id}"`)
  if (verb === 'timeline') return answer(200, timeline(id, query))
  if (verb === 'restore') return answer(200, titled(write(record, {}, 'restored', null, false)))
  if (method === 'GET') return answer(200, titled(record), { etag: `"${record.version}"` })
  const match = context.request.headers['if-match']
  if (match !== `"${record.version}"`) throw fail(412, 'precondition', `${id} is at version ${record.version} now`, { details: [], version: record.version })
  if (method === 'DELETE') {
    write(record, {}, 'deleted', null, true)
    return answer(204, undefined)
  }
  const { fields, happened_at: at } = json()
  const written = write(record, ruled(record, fields, at), 'updated', at, false)
  return answer(200, titled(written), { etag: `"${written.version}"` })
}

const actor = { kind: 'user', id: me.user.id, name: me.user.name }

function write(record, fields, kind, at, deleted) {
  return put(record.object, record.id, fields, { kind, actor, cause: 'screen', happenedAt: at ?? undefined, deleted })
}

function create(object, fields, at) {
  const missing = byName.get(object).fields.filter((field) => field.required && !field.read_only && field.default === undefined && (fields[field.name] ?? '') === '')
  if (missing.length > 0) {
    throw fail(422, 'invalid', `${missing.length} fields need attention`, { details: missing.map((field) => ({ code: 'invalid', field: field.name, message: 'must be filled' })) })
  }
  const id = nextId(object)
  const shell = { object, id, fields: {} }
  return put(object, id, ruled(shell, fields, at), { kind: 'created', actor, cause: 'screen', happenedAt: at })
}

/** ruled adds what the stage decides on a deal. */
function ruled(record, fields, at) {
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldOf(record.object, name)
    if (!field) throw fail(422, 'invalid', 'there is no such field', { field: name })
    if (name === 'name' && String(value ?? '').trim() === '') throw fail(422, 'invalid', 'must be filled', { field: name })
  }
  if (record.object !== 'deal' || !fields.stage) return fields
  const status = store.get(fields.stage)?.fields.status
  const when = at ?? new Date().toISOString()
  const reason = fields.lost_reason ?? record.fields.lost_reason
  if (status === 'lost' && !reason) throw fail(422, 'invalid', 'a lost deal needs its reason', { field: 'lost_reason' })
  return { ...fields, status, stage_entered_at: when, opened_at: record.fields.opened_at ?? when, closed_at: status === 'open' ? null : when }
}

function list(object, query) {
  const filter = query.get('filter') ? JSON.parse(query.get('filter')) : null
  const sort = (query.get('sort') ?? '').split(',').filter(Boolean).map((name) => (name.startsWith('-') ? [name.slice(1), -1] : [name, 1]))
  const value = (record, name) => (name in record.fields ? comparable(record.fields[name]) : record[name])
  const rows = [...store.values()].filter((record) => record.object === object && !record.deleted && matches(filter, record, store)).sort((a, b) => {
    for (const [name, direction] of sort) {
      const [x, y] = [value(a, name), value(b, name)]
      if (x === y) continue
      if (x === null || x === undefined) return 1
      if (y === null || y === undefined) return -1
      return (x < y ? -1 : 1) * direction
    }
    return Number(a.id.split('_').at(-1)) - Number(b.id.split('_').at(-1))
  })
  const from = Number(query.get('cursor') ?? 0)
  const limit = Number(query.get('limit') ?? 50)
  return { items: rows.slice(from, from + limit).map(titled), next_cursor: from + limit < rows.length ? String(from + limit) : null, count: { value: Math.min(rows.length, 10_000), capped: rows.length > 10_000 } }
}

function timeline(id, query) {
  const about = (change) => {
    if (change.id === id) return true
    const links = byName.get(change.object).timeline_of ?? []
    return links.some((link) => store.get(change.id)?.fields[link] === id)
  }
  const rows = changes.filter(about).sort((a, b) => (a.happened_at < b.happened_at ? 1 : a.happened_at > b.happened_at ? -1 : b.position - a.position))
  const from = Number(query.get('cursor') ?? 0)
  const limit = Number(query.get('limit') ?? 20)
  const title = (value) => (typeof value === 'string' && store.has(value) ? titleOf(value) : null)
  return {
    items: rows.slice(from, from + limit).map(({ fields, ...change }) => ({
      ...change, title: titleOf(change.id),
      changes: fields.filter((each) => each.before !== null || each.after !== null).map((each) => ({
        ...each, label: fieldOf(change.object, each.field).label, before_title: title(each.before), after_title: title(each.after),
      })),
    })),
    next_cursor: from + limit < rows.length ? String(from + limit) : null,
  }
}

export { stages }
