// The filter while it is built: a tree of groups and conditions whose values are still text. Pure; FilterBuilder draws it.
import type { Json } from '../../api/decode'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { type Condition, type Operator, operatorsOf, type Predicate, takesNothing } from '../../api/predicate'
import { metaFields } from './describe'
import { inputText, parseInput, readMoney } from './value'

export interface DraftCondition {
  kind: 'condition'
  key: string
  field: string
  op: Operator
  /** the text form of parseInput; for a list, its values with "," between */
  text: string
}

export interface DraftGroup {
  kind: 'group'
  key: string
  join: 'and' | 'or'
  items: DraftItem[]
}

/** DraftFixed is a part that a link asked for and that has no inputs here (not, related): it is kept, or taken away whole. */
export interface DraftFixed {
  kind: 'fixed'
  key: string
  predicate: Predicate
}

export type DraftItem = DraftCondition | DraftGroup | DraftFixed

interface Context {
  object: ObjectInfo
  currency: string
  zone: string
  toWall: (at: string) => string
}

/** filterFields lists what a filter may ask: the object's fields, and when records were made and changed. */
export function filterFields(object: ObjectInfo): FieldInfo[] {
  return [...object.fields, ...metaFields.filter((field) => field.name !== 'happened_at')]
}

export function filterField(object: ObjectInfo, name: string): FieldInfo | undefined {
  return fieldOf(object, name) ?? metaFields.find((field) => field.name === name)
}

/** operatorsFor lists what may be asked of a field. */
export function operatorsFor(field: FieldInfo): Operator[] {
  const all = operatorsOf[field.kind]
  return field.kind === 'multi_pick' ? ['has', 'has_any', 'is_empty', 'not_empty'] : all
}

export const takesMany = (op: Operator): boolean => op === 'in' || op === 'not_in' || op === 'has_any'

/** valueField is the input that a condition's value has: filters ask an instant by its day, and long text by a word. */
export function valueField(field: FieldInfo, op: Operator): FieldInfo {
  if (takesMany(op)) return { ...field, kind: 'multi_pick' }
  if (field.kind === 'instant') return { ...field, kind: 'date' }
  if (field.kind === 'long_text') return { ...field, kind: 'text' }
  if (field.kind === 'multi_pick') return { ...field, kind: 'picklist' }
  if (field.kind === 'formula' || field.kind === 'score') return { ...field, kind: 'number' }
  return field
}

let made = 0
const newKey = (): string => `d${(made += 1)}`

export function newCondition(object: ObjectInfo): DraftCondition {
  const field = filterFields(object)[0]
  return { kind: 'condition', key: newKey(), field: field?.name ?? '', op: field === undefined ? 'not_empty' : operatorsFor(field)[0] ?? 'not_empty', text: '' }
}

export function newGroup(object: ObjectInfo, join: 'and' | 'or'): DraftGroup {
  return { kind: 'group', key: newKey(), join, items: [newCondition(object)] }
}

/** draftOf opens a predicate for change; null is an empty group. */
export function draftOf(predicate: Predicate | null, context: Context): DraftGroup {
  const item = predicate === null ? null : itemOf(predicate, context)
  if (item?.kind === 'group') return item
  return { kind: 'group', key: newKey(), join: 'and', items: item === null ? [] : [item] }
}

function itemOf(predicate: Predicate, context: Context): DraftItem {
  if ('and' in predicate) return { kind: 'group', key: newKey(), join: 'and', items: predicate.and.map((each) => itemOf(each, context)) }
  if ('or' in predicate) return { kind: 'group', key: newKey(), join: 'or', items: predicate.or.map((each) => itemOf(each, context)) }
  if ('not' in predicate) return { kind: 'fixed', key: newKey(), predicate }
  const field = filterField(context.object, predicate.field)
  if (field === undefined || !operatorsFor(field).includes(predicate.op) || !readable(predicate, field, context)) return { kind: 'fixed', key: newKey(), predicate }
  return { kind: 'condition', key: newKey(), field: field.name, op: predicate.op, text: takesNothing(predicate.op) ? '' : textOf(predicate, field, context) }
}

function textOf({ value, op }: Condition, field: FieldInfo, { toWall }: Context): string {
  return inputText(valueField(field, op), value, toWall)
}

/** readable tells whether the inputs can hold the value just as it is: another currency, or an instant in place of a day, cannot. */
function readable(condition: Condition, field: FieldInfo, context: Context): boolean {
  if (takesNothing(condition.op)) return condition.op !== 'related'
  const money = readMoney(condition.value)
  if (money !== null && money.currency !== context.currency) return false
  const parsed = parseInput(valueField(field, condition.op), textOf(condition, field, context), context)
  return parsed.ok && JSON.stringify(valueFor(parsed.value, condition.op)) === JSON.stringify(condition.value ?? null)
}

function valueFor(value: Json, op: Operator): Json {
  return takesMany(op) && value !== null && !Array.isArray(value) ? [value] : value
}

export type Read = { ok: true; predicate: Predicate | null } | { ok: false; errors: Record<string, string> }

/** predicateOf reads the draft; errors are by the key of their condition. Empty groups ask nothing. */
export function predicateOf(draft: DraftGroup, context: Pick<Context, 'object' | 'currency' | 'zone'>): Read {
  const errors: Record<string, string> = {}
  const read = (item: DraftItem): Predicate | null => {
    if (item.kind === 'fixed') return item.predicate
    if (item.kind === 'group') {
      const list = item.items.map(read).filter((each) => each !== null)
      const [first] = list
      if (first === undefined) return null
      return list.length === 1 ? first : item.join === 'and' ? { and: list } : { or: list }
    }
    const field = filterField(context.object, item.field)
    if (field === undefined) {
      errors[item.key] = 'This field is gone.'
      return null
    }
    if (takesNothing(item.op)) return { field: item.field, op: item.op }
    const parsed = parseInput(valueField(field, item.op), item.text, context)
    if (!parsed.ok) errors[item.key] = parsed.message
    else if (parsed.value === null || (Array.isArray(parsed.value) && parsed.value.length === 0)) errors[item.key] = 'Give a value, or choose “is empty”.'
    else return { field: item.field, op: item.op, value: valueFor(parsed.value, item.op) }
    return null
  }
  const predicate = read(draft)
  return Object.keys(errors).length > 0 ? { ok: false, errors } : { ok: true, predicate }
}

/** replaced gives the draft with one item changed, or taken away (null). */
export function replaced(group: DraftGroup, key: string, by: DraftItem | null): DraftGroup {
  return {
    ...group,
    items: group.items.flatMap((item) => {
      if (item.key === key) return by === null ? [] : [by]
      return item.kind === 'group' ? [replaced(item, key, by)] : [item]
    }),
  }
}
