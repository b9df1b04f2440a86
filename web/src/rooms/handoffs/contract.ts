// Handoffs: what waits, how a week kept its clocks, and why leads were not taken.
import { get, send } from '../../api/client'
import { Fields } from '../../api/decode'
import { decodeRecord, type Rec } from '../../api/records'
import type { Wire } from '../../api/wire'

export interface BreachCount {
  kind: string
  due: number
  inTime: number
  late: number
  waiting: number
}

export interface BreachReport {
  weekOf: string
  asOf: string
  previous: string
  /** '' for the running week */
  next: string
  kinds: BreachCount[]
  late: Rec[]
  capped: boolean
}

export const breachKey = (week: string): readonly unknown[] => ['breaches', week]

export async function fetchBreaches(week: string, signal?: AbortSignal): Promise<BreachReport> {
  const report = new Fields<Wire['BreachReport']>(await get('/handoffs/breaches', { week_of: week }, signal), 'report')
  return {
    weekOf: report.text('week_of'), asOf: report.text('as_of'), previous: report.text('previous'), next: report.textOr('next', ''), capped: report.flag('capped'),
    kinds: report.list('kinds', (kind) => ({ kind: kind.text('kind'), due: kind.number('due'), inTime: kind.number('in_time'), late: kind.number('late'), waiting: kind.number('waiting') })),
    late: report.list('late', decodeRecord),
  }
}

export interface Rejection {
  campaign: string
  title: string
  reason: string
  count: number
}

export const rejectionsKey = ['rejections'] as const

export async function fetchRejections(signal?: AbortSignal): Promise<Rejection[]> {
  return new Fields<Wire['Rejections']>(await get('/handoffs/rejections', undefined, signal), 'rejections')
    .list('items', (each) => ({ campaign: each.textOr('campaign', ''), title: each.textOr('title', ''), reason: each.text('reason'), count: each.number('count') }))
}

export type Act = 'accept' | 'kickoff'

export async function act(id: string, what: Act): Promise<void> {
  await send('POST', `/handoffs/${id}/${what}`)
}

export async function rejectHandoff(id: string, reason: string, comment: string): Promise<void> {
  await send('POST', `/handoffs/${id}/reject`, { body: comment === '' ? { reason } : { reason, comment } })
}

export const kindWords: Record<string, string> = { marketing_to_sales: 'Marketing to sales', sales_to_success: 'Sales to success' }
