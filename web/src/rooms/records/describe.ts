// A predicate in words, for the chips over a list: "Status is Won", "Closed in the week 26 Jun – 2 Jul 2017".
import type { Json } from '../../api/decode'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { type Condition, type Operator, type Predicate } from '../../api/predicate'
import type { Format } from '../../format/format'
import { writeValue } from './value'

const words: Record<Operator, string> = {
  eq: 'is', ne: 'is not', lt: 'below', lte: 'at most', gt: 'above', gte: 'at least', in: 'is one of', not_in: 'is none of', is_empty: 'is empty', not_empty: 'is filled',
  contains: 'contains', starts_with: 'starts with', has: 'has', has_any: 'has one of', related: 'with', on: 'on', in_week: 'in the week',
}
const timeWords: Partial<Record<Operator, string>> = { lt: 'before', lte: 'until', gt: 'after', gte: 'from' }

/** operatorWord says an operator the way that it is said of the field's kind. */
export function operatorWord(op: Operator, field: FieldInfo | undefined): string {
  const timed = field?.kind === 'date' || field?.kind === 'instant'
  return (timed ? timeWords[op] : undefined) ?? words[op]
}

/** Columns that every record has beside its fields. */
export const metaFields: FieldInfo[] = [
  { name: 'created_at', label: 'Created', kind: 'instant' },
  { name: 'updated_at', label: 'Updated', kind: 'instant' },
  { name: 'happened_at', label: 'Happened', kind: 'instant' },
].map((each) => ({ ...each, kind: 'instant', help: '', required: false, indexed: true, readOnly: true, fallback: '', options: [], to: '', scale: 0, requiredFrom: '' }))

export interface Words {
  objects: ObjectInfo[]
  format: Format
  /** the title of a referred record, if it is known yet */
  title: (id: string) => string | undefined
}

export function describe(predicate: Predicate, object: ObjectInfo, words: Words): string {
  if ('and' in predicate) return joined(predicate.and, object, words, ' and ', 'everything')
  if ('or' in predicate) return joined(predicate.or, object, words, ' or ', 'nothing')
  if ('not' in predicate) return `not (${describe(predicate.not, object, words)})`
  return describeCondition(predicate, object, words)
}

function joined(list: Predicate[], object: ObjectInfo, words: Words, by: string, none: string): string {
  if (list.length === 0) return none
  return list.map((each) => ('and' in each || 'or' in each) && list.length > 1 ? `(${describe(each, object, words)})` : describe(each, object, words)).join(by)
}

function describeCondition(condition: Condition, object: ObjectInfo, all: Words): string {
  const field = fieldOf(object, condition.field) ?? metaFields.find((each) => each.name === condition.field)
  const label = field?.label ?? condition.field
  if (condition.op === 'related') {
    const target = all.objects.find((each) => each.name === field?.to)
    if (condition.where === undefined) return `${label} exists`
    return target === undefined ? `${label} …` : `${label}: ${describe(condition.where, target, all)}`
  }
  const word = operatorWord(condition.op, field)
  if (condition.value === undefined) return `${label} ${word}`
  return `${label} ${word} ${valueText(condition, field, all)}`
}

function valueText({ op, value }: Condition, field: FieldInfo | undefined, all: Words): string {
  if (Array.isArray(value)) return value.map((each) => one(each, op, field, all)).join(', ')
  return one(value ?? null, op, field, all)
}

function one(value: Json, op: Operator, field: FieldInfo | undefined, { format, title }: Words): string {
  if (op === 'in_week' && typeof value === 'string') return format.week(value)
  if (typeof value === 'string' && field?.kind === 'instant' && /^\d{4}-\d{2}-\d{2}$/.test(value)) return format.date(value)
  if (field === undefined) return typeof value === 'string' ? value : JSON.stringify(value)
  if (field.kind === 'reference' && typeof value === 'string') return title(value) ?? value
  return writeValue(field, value, undefined, format)
}

/** referredIds lists the ids in a predicate whose titles its words need. */
export function referredIds(predicate: Predicate): string[] {
  if ('and' in predicate) return predicate.and.flatMap(referredIds)
  if ('or' in predicate) return predicate.or.flatMap(referredIds)
  if ('not' in predicate) return referredIds(predicate.not)
  const nested = predicate.where === undefined ? [] : referredIds(predicate.where)
  const values = Array.isArray(predicate.value) ? predicate.value : [predicate.value]
  return [...nested, ...values.filter((each): each is string => typeof each === 'string' && /^[a-z][a-z0-9_]*_[1-9]\d*$/.test(each))]
}
