// Evaluates the predicate language over the mock's records, as far as the screens use it.
import { fieldOf } from './registry.mjs'

const fold = (text) => String(text).replace(/[A-Z]/g, (letter) => letter.toLowerCase())

export function comparable(value) {
  if (value === null || value === undefined) return null
  if (typeof value === 'object' && 'amount' in value) return Number(value.amount)
  return value
}

/** matches tells whether the record fulfils the node; store finds referred records by id. */
export function matches(node, record, store) {
  if (!node) return true
  if (node.and) return node.and.every((each) => matches(each, record, store))
  if (node.or) return node.or.some((each) => matches(each, record, store))
  if (node.not) return !matches(node.not, record, store)
  const meta = ['id', 'version', 'created_at', 'updated_at', 'happened_at'].includes(node.field)
  const field = meta ? null : fieldOf(record.object, node.field)
  if (!meta && !field) throw Object.assign(new Error(`${record.object} has no field "${node.field}"`), { status: 422, code: 'invalid', field: node.field })
  const have = meta ? record[node.field] : record.fields[node.field]
  const empty = have === null || have === undefined || have === ''
  const want = node.value
  const a = comparable(have)
  const b = comparable(want)
  switch (node.op) {
    case 'is_empty': return empty
    case 'not_empty': return !empty
    case 'eq': return !empty && a === b
    case 'ne': return empty || a !== b
    case 'in': return !empty && want.includes(a)
    case 'not_in': return empty || !want.includes(a)
    case 'lt': return !empty && a < b
    case 'lte': return !empty && a <= b
    case 'gt': return !empty && a > b
    case 'gte': return !empty && a >= b
    case 'contains': return !empty && fold(a).includes(fold(b))
    case 'starts_with': return !empty && fold(a).startsWith(fold(b))
    case 'has': return !empty && have.includes(want)
    case 'has_any': return !empty && want.some((each) => have.includes(each))
    case 'on': return !empty && String(have).slice(0, 10) === want
    case 'in_week': return !empty && String(have).slice(0, 10) >= want && String(have).slice(0, 10) < day(want, 7)
    case 'related': {
      const target = empty ? null : store.get(have)
      return !!target && !target.deleted && matches(node.where, target, store)
    }
    default: throw Object.assign(new Error(`unknown op "${node.op}"`), { status: 422, code: 'invalid' })
  }
}

export function day(text, add) {
  return new Date(Date.parse(`${text}T00:00:00Z`) + add * 86_400_000).toISOString().slice(0, 10)
}
