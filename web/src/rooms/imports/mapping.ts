// A mapping as a form: which column goes into which field. The server gives it as JSON beside its YAML, and takes JSON for YAML, which it is.
import type { Json } from '../../api/decode'

/** Expression gives one field's value, as the mapping says it; what the form does not know stays as it is. */
export type Expression = Record<string, Json>

export interface RecordDraft {
  object: string
  key: string
  fields: Record<string, Expression>
  rest: Record<string, Json>
}

export interface Draft {
  records: RecordDraft[]
  rest: Record<string, Json>
}

const isMap = (value: Json | undefined): value is Record<string, Json> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** readDraft reads a mapping; null where it is none that a form can show. */
export function readDraft(value: Json): Draft | null {
  if (!isMap(value) || !Array.isArray(value['records'])) return null
  const { records, ...rest } = value
  const list: RecordDraft[] = []
  for (const record of records as Json[]) { // checked above
    if (!isMap(record) || typeof record['object'] !== 'string') return null
    const { object, key, fields, ...others } = record
    const expressions: Record<string, Expression> = {}
    for (const [name, expression] of Object.entries(isMap(fields) ? fields : {})) {
      if (!isMap(expression)) return null
      expressions[name] = expression
    }
    list.push({ object: object as string, key: typeof key === 'string' ? key : '', fields: expressions, rest: others }) // object was checked
  }
  return { records: list, rest }
}

/** writeDraft writes a mapping as text, one field a line. JSON is YAML. */
export function writeDraft(draft: Draft): string {
  const lines: string[] = []
  for (const [key, value] of Object.entries(draft.rest)) lines.push(`${key}: ${JSON.stringify(value)}`)
  lines.push('records:')
  for (const record of draft.records) {
    lines.push(`  - object: ${record.object}`)
    if (record.key !== '') lines.push(`    key: ${record.key}`)
    for (const [key, value] of Object.entries(record.rest)) lines.push(`    ${key}: ${JSON.stringify(value)}`)
    lines.push('    fields:')
    for (const [name, expression] of Object.entries(record.fields)) lines.push(`      ${name}: ${JSON.stringify(expression)}`)
  }
  return `${lines.join('\n')}\n`
}

/** fieldOf gives the field that a column goes into, '' where it is left out. */
export function fieldOf(record: RecordDraft, column: string): string {
  return Object.keys(record.fields).find((name) => record.fields[name]?.['from'] === column) ?? ''
}

/** sendTo lets a column go into a field ('' leaves it out); what the field had before gives way, and the column's translation goes along. */
export function sendTo(record: RecordDraft, column: string, field: string, reference: string): RecordDraft {
  const before = fieldOf(record, column)
  const fields = { ...record.fields }
  const old = before === '' ? {} : fields[before]
  if (before !== '') delete fields[before]
  if (field !== '') {
    const { lookup: _, ...others } = { ...old }
    fields[field] = { ...others, from: column, ...(reference === '' ? {} : { lookup: { by: reference, missing: 'empty' } }) }
  }
  return { ...record, key: record.key === before && before !== field ? '' : record.key, fields }
}

/** change sets one part of a field's expression; an empty one is left out. */
export function change(record: RecordDraft, field: string, part: string, value: Json): RecordDraft {
  const expression = { ...record.fields[field] }
  if (value === null || value === '' || (isMap(value) && Object.keys(value).length === 0)) delete expression[part]
  else expression[part] = value
  return { ...record, fields: { ...record.fields, [field]: expression } }
}

/** constants are the fields that have the same value in every row. */
export function constants(record: RecordDraft): [string, string][] {
  return Object.entries(record.fields).flatMap(([name, expression]): [string, string][] => (typeof expression['value'] === 'string' ? [[name, expression['value']]] : []))
}

/** readPairs reads "as it stands = as it is meant", one a line. */
export function readPairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim()
  }
  return pairs
}

export function writePairs(value: Json | undefined): string {
  return isMap(value) ? Object.entries(value).map(([from, to]) => `${from} = ${String(to)}`).join('\n') : ''
}

/** headOf cuts a large text file down to its first rows, so that a look at them need not send all of it; other files go whole. */
export async function headOf(file: File, limit = 512 * 1024): Promise<File> {
  if (file.size <= limit || !/\.(csv|tsv|txt)$/i.test(file.name)) return file
  const bytes = new Uint8Array(await file.slice(0, limit).arrayBuffer())
  const end = bytes.lastIndexOf(10)
  return new File([bytes.slice(0, end < 0 ? bytes.length : end + 1)], file.name, { type: file.type })
}
