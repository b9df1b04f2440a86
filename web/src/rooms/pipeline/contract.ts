// Selling as the server tells it: a pipeline's stages in words, its board's sums, a deal's stays, and what the stagnation policies would do.
import { Fields, type Json } from '../../api/decode'
import { get, send } from '../../api/client'
import type { Predicate } from '../../api/predicate'
import { decodeRecord, type Rec } from '../../api/records'
import type { Wire } from '../../api/wire'
import type { Money } from '../../format/format'

export const statuses = ['open', 'won', 'lost'] as const
export type StageStatus = (typeof statuses)[number]

interface Counted {
  value: number
  capped: boolean
}

export interface StageInWords {
  id: string
  name: string
  status: StageStatus
  entry: string[]
  entryHelp: string
  exit: string[]
  exitHelp: string
  required: string[]
  ageLimitDays: number | null
  broken: string
  /** of an open stage: its deals, those that do not meet what it asks for now, and those over the age limit */
  open: { count: Counted; breaks: Counted; stale: Counted } | null
}

const counted = (count: Fields<Wire['Count']>): Counted => ({ value: count.number('value'), capped: count.flag('capped') })

export function decodeStages(body: Json): StageInWords[] {
  return new Fields<Wire['PipelineStages']>(body, 'stages').list('stages', (stage) => ({
    id: stage.text('id'), name: stage.text('name'), status: stage.oneOf('status', statuses),
    entry: stage.texts('entry'), entryHelp: stage.textOr('entry_help', ''), exit: stage.texts('exit'), exitHelp: stage.textOr('exit_help', ''), required: stage.texts('required'),
    ageLimitDays: stage.numberOr('age_limit_days', null), broken: stage.textOr('broken', ''),
    open: stage.objectOr('open', (open) => ({ count: open.object('count', counted), breaks: open.object('breaks', counted), stale: open.object('stale', counted) }), null),
  }))
}

export const stagesKey = (pipeline: string): readonly unknown[] => ['pipeline', pipeline, 'stages']

export async function fetchStages(pipeline: string, signal?: AbortSignal): Promise<StageInWords[]> {
  return decodeStages(await get(`/pipelines/${pipeline}/stages`, undefined, signal))
}

export interface Total {
  count: number
  sums: Money[]
  weighted: Money[]
}

export interface BoardSums {
  stages: (Total & { id: string; staleCount: number })[]
  open: Total
  wonThisMonth: Total
  monthFrom: string
  staleCount: number
}

const sum = (each: Fields<Wire['Sum']>): Money => ({ amount: each.text('amount'), currency: each.textOr('currency', '') })
const total = (each: Fields<Wire['BoardTotal']>): Total => ({ count: each.number('count'), sums: each.list('sums', sum), weighted: each.list('weighted', sum) })

export function decodeBoard(body: Json): BoardSums {
  const board = new Fields<Wire['BoardSummary']>(body, 'board')
  return {
    stages: board.list('stages', (stage) => ({ count: stage.number('count'), sums: stage.list('sums', sum), weighted: stage.list('weighted', sum), id: stage.text('id'), staleCount: stage.number('stale_count') })),
    open: board.object('open', total), wonThisMonth: board.object('won_this_month', total), monthFrom: board.text('month_from'), staleCount: board.number('stale_count'),
  }
}

export const boardKey = (pipeline: string, filter: Predicate | null): readonly unknown[] => ['pipeline', pipeline, 'board', filter]

export async function fetchBoard(pipeline: string, filter: Predicate | null, signal?: AbortSignal): Promise<BoardSums> {
  return decodeBoard(await get(`/pipelines/${pipeline}/board`, { filter: filter === null ? null : JSON.stringify(filter) }, signal))
}

export interface Stay {
  stage: string
  title: string
  enteredAt: string | null
  leftAt: string | null
  days: number | null
}

export function decodeStays(body: Json): Stay[] {
  return new Fields<Wire['StageVisits']>(body, 'stays').list('visits', (visit) => ({
    stage: visit.text('stage'), title: visit.textOr('title', visit.text('stage')), enteredAt: visit.textOr('entered_at', null), leftAt: visit.textOr('left_at', null), days: visit.numberOr('days', null),
  }))
}

/** staysKey lies behind the deal's own, so that whatever changes the deal asks for them again. */
export const staysKey = (deal: string, version: number): readonly unknown[] => ['stays', deal, version]

export async function fetchStays(deal: string, signal?: AbortSignal): Promise<Stay[]> {
  return decodeStays(await get(`/deals/${deal}/stages`, undefined, signal))
}

export const steps = ['nudge', 'reengage', 'lost', 'nurture', 'freshen'] as const
export type Step = (typeof steps)[number]

export interface StaleDeal {
  deal: Rec
  step: Step
  why: string
  touchedAt: string
  idleDays: number
  limitDays: number
}

export interface StalePage {
  items: StaleDeal[]
  next: string | null
}

export function decodeStale(body: Json): StalePage {
  const page = new Fields<Wire['StagnationPreview']>(body, 'stagnation')
  return {
    items: page.list('items', (item) => ({
      deal: item.object('deal', decodeRecord), step: item.oneOf('step', steps), why: item.text('why'), touchedAt: item.text('touched_at'), idleDays: item.number('idle_days'), limitDays: item.number('limit_days'),
    })),
    next: page.textOr('next', null),
  }
}

export const staleKey = ['stagnation'] as const

export async function fetchStale(after: string | null, signal?: AbortSignal): Promise<StalePage> {
  return decodeStale(await get('/stagnation/preview', { after, limit: 50 }, signal))
}

export interface StagnationRun {
  nudged: number
  reengaged: number
  lost: number
  nurtured: number
  freshened: number
  refused: number
  notes: string[]
}

export async function runStagnation(): Promise<StagnationRun> {
  const run = new Fields<Wire['StagnationRun']>((await send('POST', '/stagnation/runs')).body, 'run')
  return {
    nudged: run.number('nudged'), reengaged: run.number('reengaged'), lost: run.number('lost'), nurtured: run.number('nurtured'), freshened: run.number('freshened'), refused: run.number('refused'), notes: run.texts('notes'),
  }
}
