// Long work at the server, and bulk edits in particular: POST /bulk starts one, GET /jobs/{id} tells how far it has come.
import { Fields, type Json } from './decode'
import { get, newKey, send } from './client'
import type { Predicate } from './predicate'

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
}

export function decodeJob(body: Json): Job {
  const job = new Fields(body, 'job')
  return {
    id: job.text('id'), kind: job.text('kind'), state: job.oneOf('state', jobStates), title: job.textOr('title', ''), dryRun: job.flag('dry_run'),
    done: job.numberOr('done', 0), total: job.numberOr('total', null), changed: job.numberOr('changed', 0), unchanged: job.numberOr('unchanged', 0),
    refused: job.numberOr('refused', 0), undone: job.numberOr('undone', 0), kept: job.numberOr('kept', 0), error: job.textOr('error', ''),
    actions: job.texts('actions'), refusedUrl: job.textOr('refused_url', ''),
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

export async function startBulk(object: string, over: Over, fields: Record<string, Json>, dryRun: boolean): Promise<Job> {
  const which: Record<string, Json> = 'ids' in over ? { ids: over.ids } : over.filter === null ? {} : { filter: JSON.parse(JSON.stringify(over.filter)) as Json } // a predicate is JSON
  return decodeJob((await send('POST', '/bulk', { body: { object, ...which, fields, dry_run: dryRun }, headers: { 'idempotency-key': newKey() } })).body)
}

export async function actOnJob(id: string, action: 'cancel' | 'undo' | 'resume'): Promise<Job> {
  return decodeJob((await send('POST', `/jobs/${id}/${action}`)).body)
}
