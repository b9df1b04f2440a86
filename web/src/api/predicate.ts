// The one small predicate tree that filters, row scope and drill-downs share (models/predicate). Its keys and values
// are data: they go through the URL and to the server as they are.
import type { Json } from './decode'
import type { Kind } from './objects'

export const operators = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'not_in', 'is_empty', 'not_empty', 'contains', 'starts_with', 'has', 'has_any', 'related', 'on', 'in_week'] as const
export type Operator = (typeof operators)[number]

export interface Condition {
  field: string
  op: Operator
  value?: Json
  /** of related: what the record that the reference points to must be */
  where?: Predicate
}

export type Predicate = Condition | { and: Predicate[] } | { or: Predicate[] } | { not: Predicate }

const equal: Operator[] = ['eq', 'ne', 'in', 'not_in', 'is_empty', 'not_empty']
const order: Operator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'is_empty', 'not_empty']
const text: Operator[] = ['contains', 'starts_with', 'eq', 'ne', 'is_empty', 'not_empty']
const day: Operator[] = ['on', 'in_week', 'lt', 'gte', 'is_empty', 'not_empty']

/** operatorsOf lists what a person may ask of a field of a kind on screen; links may ask more. */
export const operatorsOf: Record<Kind, Operator[]> = {
  text, long_text: text, email: text, phone: text, url: text,
  country: ['eq', 'ne', 'is_empty', 'not_empty'], picklist: equal, multi_pick: ['has', 'is_empty', 'not_empty'],
  number: order, formula: order, money: order, score: order,
  date: day, instant: day, boolean: ['eq', 'ne', 'is_empty', 'not_empty'],
  reference: ['eq', 'ne', 'is_empty', 'not_empty'], address: ['is_empty', 'not_empty'], file: ['is_empty', 'not_empty'],
}

export const takesNothing = (op: Operator): boolean => op === 'is_empty' || op === 'not_empty' || op === 'related'

/** readPredicate takes what stood in a URL or an answer; anything that is no predicate is null. */
export function readPredicate(value: unknown): Predicate | null {
  if (typeof value === 'string') {
    try {
      return readPredicate(JSON.parse(value))
    } catch {
      return null
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const raw = value as Record<string, unknown> // checked above
  for (const key of ['and', 'or'] as const) {
    const list = raw[key]
    if (!Array.isArray(list)) continue
    const read = list.map(readPredicate)
    const whole = read.filter((part) => part !== null)
    if (whole.length !== read.length) return null
    return key === 'and' ? { and: whole } : { or: whole }
  }
  if ('not' in raw) {
    const inner = readPredicate(raw['not'])
    return inner === null ? null : { not: inner }
  }
  const op = operators.find((each) => each === raw['op'])
  if (typeof raw['field'] !== 'string' || op === undefined) return null
  const condition: Condition = { field: raw['field'], op }
  if (raw['value'] !== undefined) condition.value = raw['value'] as Json // came out of JSON
  if (raw['where'] !== undefined) {
    const where = readPredicate(raw['where'])
    if (where === null) return null
    condition.where = where
  }
  return condition
}

/** parts lists what must all hold: each is one chip, and can be taken away alone. */
export function parts(predicate: Predicate | null | undefined): Predicate[] {
  if (predicate === null || predicate === undefined) return []
  if ('and' in predicate) return predicate.and.flatMap(parts)
  return [predicate]
}

/** all joins parts; none is null, one is itself. */
export function all(list: Predicate[]): Predicate | null {
  const [first, ...rest] = list
  if (first === undefined) return null
  return rest.length === 0 ? first : { and: list }
}
