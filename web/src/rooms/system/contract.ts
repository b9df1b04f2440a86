// How Canopy itself is: GET /relay, and the runs of the rooms: /runs.
import { Fields } from '../../api/decode'
import { get, send } from '../../api/client'
import type { Wire } from '../../api/wire'

export interface Relay {
  position: number
  head: number
  lagChanges: number
  lagSeconds: number
  lastError: string
  batch: number
  incarnation: string
  state: string
}

export interface Run {
  id: string
  room: string
  state: string
  /** first days of the first and the last week; '' where it has none */
  first: string
  last: string
  weeks: number
  done: number
  /** of the weeks done, those whose result is another than before */
  changed: number
  seconds: number
  cause: string
  position: number
  error: string
  createdAt: string
  startedAt: string
  finishedAt: string
}

export const relayKey = ['relay'] as const
export const runsKey = ['runs'] as const

export async function fetchRelay(signal?: AbortSignal): Promise<Relay> {
  const relay = new Fields<Wire['RelayStatus']>(await get('/relay', undefined, signal), 'relay')
  return {
    position: relay.number('position'), head: relay.number('head'), lagChanges: relay.numberOr('lag_changes', 0), lagSeconds: relay.numberOr('lag_seconds', 0),
    lastError: relay.textOr('last_error', ''), batch: relay.numberOr('batch', 0), incarnation: relay.textOr('incarnation', ''), state: relay.textOr('state', ''),
  }
}

export function decodeRun(run: Fields<Wire['Run']>): Run {
  const weeks = run.texts('weeks')
  return {
    id: run.id('id'), room: run.text('room'), state: run.text('status'), first: weeks[0] ?? '', last: weeks[weeks.length - 1] ?? '',
    weeks: weeks.length, done: run.numberOr('done', 0), changed: run.numberOr('changed', 0), seconds: run.numberOr('seconds', 0),
    cause: run.textOr('cause', ''), position: run.numberOr('position', 0), error: run.textOr('error', ''),
    createdAt: run.textOr('created_at', ''), startedAt: run.textOr('started_at', ''), finishedAt: run.textOr('finished_at', ''),
  }
}

export async function fetchRuns(signal?: AbortSignal): Promise<Run[]> {
  return new Fields<Wire['RunPage']>(await get('/runs', undefined, signal), 'runs').list('items', decodeRun)
}

export async function backfill(room: string, from: string, to: string): Promise<void> {
  await send('POST', '/runs', { body: { room, from, to } })
}

export async function cancelRun(id: string): Promise<void> {
  await send('POST', `/runs/${encodeURIComponent(id)}/cancel`)
}

export const isOver = (state: string): boolean => state === 'done' || state === 'failed' || state === 'cancelled'
