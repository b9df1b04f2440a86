// What a URL may hold: every page's search parameters with their bounds and defaults. A value that is out of bounds
// is dropped, never an error: a link from a colleague always opens. Dropped parameters are given as undefined, since
// the router lays them over what stood in the address.
import { readPredicate } from '../api/predicate'
import { type Compare, compares } from '../rooms/review/contract'

type Raw = Record<string, unknown>

const name = /^[a-z][a-z0-9_]{0,47}$/
const dayText = /^\d{4}-\d{2}-\d{2}$/

function textOf(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined
}

function namesOf(value: unknown, limit: number): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const names = value.filter((each): each is string => typeof each === 'string' && each.length <= 200).slice(0, limit)
  return names.length === 0 ? undefined : names
}

export interface ReviewSearch {
  tree?: string
  /** first day of the week */
  week?: string
  compare?: Compare
  split?: string
  /** the selected node */
  node?: string
  /** folded nodes */
  fold?: string[]
}

export function reviewSearch(raw: Raw): ReviewSearch {
  return {
    tree: textOf(raw['tree'], name),
    week: textOf(raw['week'], dayText),
    compare: compares.find((each) => each === raw['compare']),
    split: textOf(raw['split'], name),
    node: typeof raw['node'] === 'string' && raw['node'].length <= 200 ? raw['node'] : undefined,
    fold: namesOf(raw['fold'], 100),
  }
}

export interface ListSearch {
  /** a predicate; readPredicate gives it its type, which is too deep for the router's own types */
  filter?: object
  /** "-amount,name" */
  sort?: string
  cols?: string[]
  /** as of: only what happened before this instant */
  before?: string
  /** as of: only what was known at this position of the change log */
  position?: number
  /** a saved view ("view_12"), or "all" for none, where a person's list would open with one */
  view?: string
  layout?: Layout
  /** the field whose values are a board's columns */
  group?: string
  /** the column of a board that is seen where there is room for one only */
  at?: string
}

export const layouts = ['table', 'board'] as const
export type Layout = (typeof layouts)[number]

export function listSearch(raw: Raw): ListSearch {
  const before = raw['before']
  const position = raw['position']
  return {
    filter: readPredicate(raw['filter']) ?? undefined,
    sort: textOf(raw['sort'], /^-?[a-z][a-z0-9_]{0,47}(,-?[a-z][a-z0-9_]{0,47}){0,2}$/),
    cols: namesOf(raw['cols'], 30),
    before: typeof before === 'string' && !Number.isNaN(Date.parse(before)) ? before : undefined,
    position: typeof position === 'number' && Number.isSafeInteger(position) && position > 0 ? position : undefined,
    view: textOf(raw['view'], /^(all|view_[1-9]\d{0,18})$/),
    layout: layouts.find((each) => each === raw['layout']),
    group: textOf(raw['group'], name),
    at: typeof raw['at'] === 'string' && raw['at'].length <= 200 ? raw['at'] : undefined,
  }
}

export interface TasksSearch {
  /** whose: mine where it is left out */
  whose?: 'all' | 'unowned'
}

export function tasksSearch(raw: Raw): TasksSearch {
  return { whose: (['all', 'unowned'] as const).find((each) => each === raw['whose']) }
}

export interface TodaySearch {
  /** whose: mine where it is left out */
  whose?: 'all'
}

export function todaySearch(raw: Raw): TodaySearch {
  return { whose: raw['whose'] === 'all' ? 'all' : undefined }
}

export const boardSorts = ['-amount', 'next_step_on', 'expected_close_on'] as const
export type BoardSort = (typeof boardSorts)[number]

export interface PipelineSearch {
  /** the first active one where it is left out */
  pipeline?: string
  owner?: string
  team?: string
  sort?: BoardSort
  /** the stage that is seen where there is room for one only */
  at?: string
}

export function pipelineSearch(raw: Raw): PipelineSearch {
  return {
    pipeline: textOf(raw['pipeline'], /^pipeline_[1-9]\d{0,18}$/),
    owner: textOf(raw['owner'], /^user_[1-9]\d{0,18}$/),
    team: textOf(raw['team'], /^team_[1-9]\d{0,18}$/),
    sort: boardSorts.find((each) => each === raw['sort']),
    at: textOf(raw['at'], /^stage_[1-9]\d{0,18}$/),
  }
}

export interface StagesSearch {
  pipeline?: string
}

export function stagesSearch(raw: Raw): StagesSearch {
  return { pipeline: textOf(raw['pipeline'], /^pipeline_[1-9]\d{0,18}$/) }
}

export interface FieldsSearch {
  /** words to look for in every field's name, label and meaning */
  q?: string
  /** the object whose fields are shown */
  object?: string
}

export function fieldsSearch(raw: Raw): FieldsSearch {
  return { q: typeof raw['q'] === 'string' && raw['q'].length <= 100 && raw['q'] !== '' ? raw['q'] : undefined, object: textOf(raw['object'], name) }
}

export interface LeadsSearch {
  /** which leads; those to accept where it is left out */
  show?: 'waiting' | 'working' | 'incomplete' | 'rejected'
  whose?: 'mine' | 'all'
}

export function leadsSearch(raw: Raw): LeadsSearch {
  return {
    show: (['waiting', 'working', 'incomplete', 'rejected'] as const).find((each) => each === raw['show']),
    whose: (['mine', 'all'] as const).find((each) => each === raw['whose']),
  }
}

export interface HandoffsSearch {
  /** first day of the report's week; the running week where it is left out */
  week?: string
}

export function handoffsSearch(raw: Raw): HandoffsSearch {
  return { week: textOf(raw['week'], dayText) }
}

export interface FormsSearch {
  /** the form that is open ("form_3"), or "new" */
  form?: string
}

export function formsSearch(raw: Raw): FormsSearch {
  return { form: textOf(raw['form'], /^(new|form_[1-9]\d{0,18})$/) }
}

export interface LoginSearch {
  next?: string
}

/** loginSearch keeps only a path of this site: a link must not be able to send a reader away after signing in. */
export function loginSearch(raw: Raw): LoginSearch {
  return { next: textOf(raw['next'], /^\/(?![/\\])/) }
}

export interface JobsSearch {
  kind?: 'import' | 'export' | 'bulk' | undefined
}

export function jobsSearch(raw: Raw): JobsSearch {
  return { kind: (['import', 'export', 'bulk'] as const).find((each) => each === raw['kind']) }
}
