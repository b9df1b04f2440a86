// Imports of the mock: it counts the lines of what is sent and moves through the states by the clock.
import { fail } from './api.mjs'

const imports = []
const mapping = `# Proposed from the file's columns. Check it, and try it with a dry run before importing.
records:
  - object: account
    key: name  # a record with the same name is changed instead of made anew
    fields:
      name: {from: name}
      domain: {from: domain}
      sector: {from: sector}
`

function parts(body, type) {
  const boundary = /boundary=(.+)$/.exec(type ?? '')?.[1]
  if (!boundary) throw fail(422, 'invalid', 'a file is sent as multipart/form-data', { field: 'file' })
  const out = {}
  for (const piece of body.toString('latin1').split(`--${boundary}`)) {
    const name = /name="([^"]+)"/.exec(piece)?.[1]
    if (name) out[name] = { fileName: /filename="([^"]*)"/.exec(piece)?.[1], text: piece.slice(piece.indexOf('\r\n\r\n') + 4, -2) }
  }
  if (!out.file) throw fail(422, 'invalid', 'no file was sent', { field: 'file' })
  return out
}

const length = 3000 // ms that an import of the mock takes

function now(each) {
  const share = each.state === 'running' || each.state === 'undoing' ? Math.min(1, (Date.now() - each.began) / length) : each.share
  if (share >= 1 && each.state === 'running') Object.assign(each, { state: 'done', finished_at: new Date().toISOString() })
  if (share >= 1 && each.state === 'undoing') Object.assign(each, { state: 'undone', finished_at: new Date().toISOString() })
  each.share = share
  const read = Math.round(each.rows * share)
  const refused = Math.min(2, Math.floor(read / 4))
  return {
    id: each.id, file_name: each.file_name, object: 'deal', state: each.state, dry_run: each.dry_run, rows_read: read, rows_total: each.rows,
    bytes_read: Math.round(each.bytes * share), bytes_total: each.bytes, created: Math.max(0, read - refused), updated: 0, unchanged: 0, refused,
    notes: refused > 0 ? [{ text: 'no account given; the deal stays without one', count: Math.floor(read / 6) }, { text: 'close_date is empty; the deal stays open', count: Math.floor(read / 5) }] : [],
    error: null, created_at: each.created_at, finished_at: each.finished_at ?? null, by: { id: 'user_1', name: 'Canopy Admin' },
  }
}

export function importRoutes({ request, path, method, body, answer }) {
  if (path === '/imports/propose' && method === 'POST') {
    parts(body, request.headers['content-type'])
    return answer(200, { mapping })
  }
  if (path === '/imports' && method === 'POST') {
    const { file, dry_run: dry } = parts(body, request.headers['content-type'])
    const each = { id: imports.length + 1, file_name: file.fileName, dry_run: dry?.text === 'true', state: 'running', began: Date.now(), share: 0, rows: Math.max(0, file.text.trim().split('\n').length - 1), bytes: file.text.length, created_at: new Date().toISOString() }
    imports.unshift(each)
    return answer(202, now(each))
  }
  if (path === '/imports') return answer(200, { items: imports.map(now) })
  const [, id, verb] = /^\/imports\/(\d+)(?:\/([\w.]+))?$/.exec(path) ?? []
  if (!id) return false
  const each = imports.find((other) => other.id === Number(id))
  if (!each) throw fail(404, 'not_found', `there is no import "${id}"`)
  if (verb === 'refused.csv') return void answer(200, 'row,reason\n3,"31/02 is not a date"\n')
  if (verb === 'cancel') {
    now(each)
    each.state = 'cancelled'
  } else if (verb === 'resume') Object.assign(each, { state: 'running', began: Date.now() - each.share * length })
  else if (verb === 'undo') Object.assign(each, { state: 'undoing', began: Date.now(), share: 0 })
  return answer(200, now(each))
}
