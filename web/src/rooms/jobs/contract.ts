// Long jobs as the server tells them: /jobs.
import { Fields } from '../../api/decode'
import { get, send } from '../../api/client'
import type { Wire } from '../../api/wire'
import { type ImportState as JobState, importStates as jobStates } from '../imports/contract'

export const jobKinds = ['import', 'export', 'bulk'] as const
export type JobKind = (typeof jobKinds)[number]
export const jobActions = ['cancel', 'resume', 'undo'] as const
export type JobAction = (typeof jobActions)[number]

export interface Job {
  id: string
  kind: JobKind
  state: JobState
  object: string
  title: string
  dryRun: boolean
  done: number
  total: number | null
  created: number
  changed: number
  unchanged: number
  refused: number
  undone: number
  kept: number
  notes: { text: string; count: number }[]
  error: string
  by: string
  createdAt: string
  finishedAt: string
  /** what the reader may ask of it as it stands */
  actions: JobAction[]
  refusedUrl: string
  file: { name: string; format: string; bytes: number; url: string; position: number; expiresAt: string } | null
}

export function decodeJob(job: Fields<Wire['Job']>): Job {
  return {
    id: job.text('id'),
    kind: job.oneOf('kind', jobKinds),
    state: job.oneOf('state', jobStates),
    object: job.textOr('object', ''),
    title: job.text('title'),
    dryRun: job.flag('dry_run'),
    done: job.number('done'),
    total: job.numberOr('total', null),
    created: job.number('created'),
    changed: job.number('changed'),
    unchanged: job.number('unchanged'),
    refused: job.number('refused'),
    undone: job.number('undone'),
    kept: job.number('kept'),
    notes: job.list('notes', (note) => ({ text: note.text('text'), count: note.number('count') })),
    error: job.textOr('error', ''),
    by: job.objectOr('by', (by) => by.textOr('name', ''), ''),
    createdAt: job.text('created_at'),
    finishedAt: job.textOr('finished_at', ''),
    actions: actionsOf(job.json('actions')),
    refusedUrl: job.textOr('refused_url', ''),
    file: job.objectOr('file', (file) => ({
      name: file.text('name'), format: file.text('format'), bytes: file.number('bytes'), url: file.textOr('url', ''), position: file.number('position'), expiresAt: file.text('expires_at'),
    }), null),
  }
}

function actionsOf(value: unknown): JobAction[] {
  return Array.isArray(value) ? jobActions.filter((each) => value.includes(each)) : []
}

export const jobsKey = ['jobs'] as const

export async function fetchJobs(kind: JobKind | undefined, signal?: AbortSignal): Promise<Job[]> {
  return new Fields<Wire['JobList']>(await get('/jobs', kind === undefined ? undefined : { kind }, signal), 'jobs').list('items', decodeJob)
}

export async function act(id: string, action: JobAction): Promise<Job> {
  return decodeJob(new Fields<Wire['Job']>((await send('POST', `/jobs/${encodeURIComponent(id)}/${action}`)).body, 'job'))
}

/** share is how much is done, 0 to 1; null while the whole is not known. */
export function share(job: Job): number | null {
  if (job.state === 'done' || job.state === 'undone') return 1
  return job.total === null || job.total === 0 ? null : Math.min(1, job.done / job.total)
}
