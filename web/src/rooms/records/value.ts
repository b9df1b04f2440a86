// A field's value in words, and the way from what a person typed back to a value.
import type { Json } from '../../api/decode'
import type { FieldInfo } from '../../api/objects'
import { type Format, type Money, undefinedMark, zonedToInstant } from '../../format/format'

export function readMoney(value: Json | undefined): Money | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { amount, currency } = value
  return typeof amount === 'string' && typeof currency === 'string' ? { amount, currency } : null
}

/** writeValue gives the words of a value; `title` names the record that a reference points to. */
export function writeValue(field: FieldInfo, value: Json | undefined, title: string | undefined, format: Format): string {
  if (value === null || value === undefined || value === '') return undefinedMark
  switch (field.kind) {
    case 'money':
      return format.money(readMoney(value))
    case 'number':
    case 'formula':
      return typeof value === 'number' ? format.decimal(value, field.scale) : String(value)
    case 'score':
      return typeof value === 'number' ? format.short('share', value) : String(value)
    case 'date':
      return typeof value === 'string' ? format.date(value) : undefinedMark
    case 'instant':
      return typeof value === 'string' ? format.instant(value) : undefinedMark
    case 'boolean':
      return value === true ? 'Yes' : 'No'
    case 'picklist':
      return optionLabel(field, value)
    case 'multi_pick':
      return Array.isArray(value) ? value.map((each) => optionLabel(field, each)).join(', ') : undefinedMark
    case 'reference':
      return title ?? String(value)
    case 'address':
    case 'file':
      return structured(value)
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}

function optionLabel(field: FieldInfo, value: Json): string {
  return field.options.find((option) => option.value === value)?.label ?? String(value)
}

function structured(value: Json): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return String(value)
  if (typeof value['name'] === 'string') return value['name']
  return ['line1', 'line2', 'postal_code', 'city', 'region', 'country'].map((key) => value[key]).filter((each) => typeof each === 'string' && each !== '').join(', ') || undefinedMark
}

/** isNumeric tells whether a column's values stand on the right, digit under digit. */
export function isNumeric(field: FieldInfo): boolean {
  return field.kind === 'money' || field.kind === 'number' || field.kind === 'formula' || field.kind === 'score'
}

/** isEditable tells whether the screen can change the field; the server decides again. */
export function isEditable(field: FieldInfo): boolean {
  return !field.readOnly && field.kind !== 'formula' && field.kind !== 'score'
}

/** readFile reads the text form of a file: the JSON that an upload gave back. */
export function readFile(text: string): { name: string; size: number; media_type: string; sha256: string } | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || !('name' in value) || !('size' in value) || !('media_type' in value) || !('sha256' in value)) return null
  const { name, size, media_type: mediaType, sha256 } = value
  if (typeof name !== 'string' || typeof size !== 'number' || typeof mediaType !== 'string' || typeof sha256 !== 'string') return null
  return { name, size, media_type: mediaType, sha256 }
}

/** bytes writes a size as people say it: 2.4 MB. */
export function bytes(size: number): string {
  for (const [of, unit] of [[2 ** 30, 'GB'], [2 ** 20, 'MB'], [2 ** 10, 'KB']] as const) {
    if (size >= of) return `${(size / of).toFixed(1).replace(/\.0$/, '')} ${unit}`
  }
  return `${size} bytes`
}

export type Parsed = { ok: true; value: Json } | { ok: false; message: string }

/**
 * parseInput reads what was typed for a field; blank is null (empty). Money needs a currency, instants are wall-clock text
 * ("2017-06-26T14:30") in the zone. Only the form is checked here: the server knows the rules.
 */
export function parseInput(field: FieldInfo, text: string, context: { currency: string; zone: string }): Parsed {
  const trimmed = text.trim()
  if (trimmed === '') return { ok: true, value: null }
  switch (field.kind) {
    case 'money': {
      const amount = trimmed.replaceAll('−', '-')
      return /^-?\d+(\.\d+)?$/.test(amount) ? { ok: true, value: { amount, currency: context.currency } } : { ok: false, message: 'Write digits only, like 1250.50' }
    }
    case 'number': {
      const plain = trimmed.replaceAll('−', '-')
      return /^-?\d+(\.\d+)?$/.test(plain) ? { ok: true, value: Number(plain) } : { ok: false, message: 'Write a number, like 12.5' }
    }
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? { ok: true, value: trimmed } : { ok: false, message: 'Write a date as YYYY-MM-DD' }
    case 'instant': {
      const at = zonedToInstant(context.zone, trimmed)
      return at === null ? { ok: false, message: 'Write a day and a time' } : { ok: true, value: at }
    }
    case 'boolean':
      return { ok: true, value: trimmed === 'true' }
    case 'address':
      return { ok: true, value: readAddress(trimmed) }
    case 'file': {
      const value = readFile(trimmed)
      return value === null ? { ok: false, message: 'Choose a file' } : { ok: true, value }
    }
    case 'multi_pick':
      return { ok: true, value: trimmed.split(',').map((each) => each.trim()).filter((each) => each !== '') }
    default:
      return { ok: true, value: trimmed }
  }
}

/** readAddress reads the JSON text of an address; what is none is empty. */
export function readAddress(text: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
    return Object.fromEntries(Object.entries(value).filter((each): each is [string, string] => typeof each[1] === 'string'))
  } catch {
    return {}
  }
}

/** inputText is the text that parseInput reads back to the same value. */
export function inputText(field: FieldInfo, value: Json | undefined, toWall: (at: string) => string): string {
  if (value === null || value === undefined) return ''
  if (field.kind === 'money') return readMoney(value)?.amount ?? ''
  if (field.kind === 'instant') return typeof value === 'string' ? toWall(value) : ''
  if (field.kind === 'file') return JSON.stringify(value)
  if (Array.isArray(value)) return value.join(',')
  if (field.kind === 'address') return JSON.stringify(value)
  return String(value)
}
