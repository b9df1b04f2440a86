// Long work at the server, and bulk edits in particular: POST /bulk starts one, GET /jobs/{id} tells how far it has come.
import { Fields, type Json } from './decode'
import { get, newKey, send } from './client'
import type { Predicate } from './predicate'
import type { Wire } from './wire'

export const jobStates = ['waiting', 'running', 'done', 'cancelled', 'failed', 'undoing', 'undone'] as const

export interface Job {
  id: string
  kind: string
  state: (typeof jobStates)[number]
  title: string
  dryRun: boolean
  done: number
  total: number | null
  changed: number
  unchanged: number
  refused: number
  undone: number
  kept: number
  error: string
  actions: string[]
  refusedUrl: string
  /** what an export has written; url is '' once it has expired */
  file: { name: string; bytes: number; url: string } | null
}

export function decodeJob(body: Json): Job {
  const job = new Fields<Wire['Job']>(body, 'job')
  return {
    id: job.text('id'), kind: job.text('kind'), state: job.oneOf('state', jobStates), title: job.textOr('title', ''), dryRun: job.flag('dry_run'),
    done: job.numberOr('done', 0), total: job.numberOr('total', null), changed: job.numberOr('changed', 0), unchanged: job.numberOr('unchanged', 0),
    refused: job.numberOr('refused', 0), undone: job.numberOr('undone', 0), kept: job.numberOr('kept', 0), error: job.textOr('error', ''),
    actions: job.texts('actions'), refusedUrl: job.textOr('refused_url', ''),
    file: job.objectOr('file', (file) => ({ name: file.text('name'), bytes: file.numberOr('bytes', 0), url: file.textOr('url', '') }), null),
  }
}

/** isAtWork tells whether the job goes on by itself. */
export const isAtWork = (job: Job): boolean => job.state === 'waiting' || job.state === 'running' || job.state === 'undoing'

export const jobKey = (id: string): readonly unknown[] => ['job', id]

export async function fetchJob(id: string, signal?: AbortSignal): Promise<Job> {
  return decodeJob(await get(`/jobs/${id}`, undefined, signal))
}

/** What a bulk edit is over: named records, or all that a filter finds. */
export type Over = { ids: string[] } | { filter: Predicate | null }

/** plain gives a predicate as the JSON that it is; what asks nothing finds all that the reader may see. */
function plain(filter: Predicate | null): Json {
  return JSON.parse(JSON.stringify(filter ?? { and: [] })) as Json // a predicate holds nothing else
}

/** startBulk changes or deletes many records. A dry run writes nothing, and tells what would be refused. */
export async function startBulk(object: string, over: Over, op: 'update' | 'delete', fields: Record<string, Json>, dryRun: boolean): Promise<Job> {
  const which: Record<string, Json> = 'ids' in over ? { ids: over.ids } : { filter: plain(over.filter) }
  const what: Record<string, Json> = op === 'update' ? { fields } : {}
  return decodeJob((await send('POST', '/bulk', { body: { object, op, ...which, ...what, dry_run: dryRun }, headers: { 'idempotency-key': newKey() } })).body)
}

export const exportFormats = ['csv', 'parquet', 'arrow'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** startExport writes a list into a file. */
export async function startExport(object: string, list: { filter: Predicate | null; sort: string; columns: string[] | null }, format: ExportFormat): Promise<Job> {
  return decodeJob((await send('POST', '/exports', {
    body: { object, format, ...(list.filter === null ? {} : { filter: plain(list.filter) }), ...(list.sort === '' ? {} : { sort: list.sort }), ...(list.columns === null ? {} : { columns: list.columns }) },
  })).body)
}

export async function actOnJob(id: string, action: 'cancel' | 'undo' | 'resume'): Promise<Job> {
  return decodeJob((await send('POST', `/jobs/${id}/${action}`)).body)
}
