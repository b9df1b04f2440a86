// Imports as the server tells them: /imports.
import { Fields, type Json } from '../../api/decode'
import { get, send } from '../../api/client'
import type { Wire } from '../../api/wire'

export const importStates = ['waiting', 'running', 'done', 'cancelled', 'failed', 'undoing', 'undone'] as const
export type ImportState = (typeof importStates)[number]

export interface Import {
  id: string
  fileName: string
  object: string
  state: ImportState
  dryRun: boolean
  rowsRead: number
  rowsTotal: number | null
  bytesRead: number
  bytesTotal: number
  created: number
  updated: number
  unchanged: number
  refused: number
  /** records that the undo has put back, and those that it kept because others have worked with them since */
  undone: number
  conflicts: number
  notes: { text: string; count: number }[]
  error: string
  createdAt: string
  finishedAt: string
  by: string
}

export function decodeImport(item: Fields<Wire['Import']>): Import {
  return {
    id: item.id('id'),
    fileName: item.textOr('file_name', ''),
    object: item.textOr('object', ''),
    state: item.oneOf('state', importStates),
    dryRun: item.flag('dry_run'),
    rowsRead: item.numberOr('rows_read', 0),
    rowsTotal: item.numberOr('rows_total', null),
    bytesRead: item.numberOr('bytes_read', 0),
    bytesTotal: item.numberOr('bytes_total', 0),
    created: item.numberOr('created', 0),
    updated: item.numberOr('updated', 0),
    unchanged: item.numberOr('unchanged', 0),
    refused: item.numberOr('refused', 0),
    undone: item.numberOr('undone', 0),
    conflicts: item.numberOr('conflicts', 0),
    notes: item.list('notes', (note) => ({ text: note.text('text'), count: note.numberOr('count', 1) })),
    error: item.textOr('error', ''),
    createdAt: item.textOr('created_at', ''),
    finishedAt: item.textOr('finished_at', ''),
    by: item.objectOr('by', (by) => by.textOr('name', ''), ''),
  }
}

export const importsKey = ['imports'] as const
export const importKey = (id: string): readonly unknown[] => ['imports', id]

export async function fetchImports(signal?: AbortSignal): Promise<Import[]> {
  return new Fields<Wire['ImportList']>(await get('/imports', undefined, signal), 'imports').list('items', decodeImport)
}

export async function fetchImport(id: string, signal?: AbortSignal): Promise<Import> {
  return decodeImport(new Fields<Wire['Import']>(await get(`/imports/${encodeURIComponent(id)}`, undefined, signal), 'import'))
}

export async function steer(id: string, verb: 'cancel' | 'resume' | 'undo'): Promise<Import> {
  return decodeImport(new Fields<Wire['Import']>((await send('POST', `/imports/${encodeURIComponent(id)}/${verb}`)).body, 'import'))
}

export const fates = ['created', 'updated', 'unchanged', 'refused', 'left out'] as const
export type Fate = (typeof fates)[number]

/** Preview is what an import would make of a file's first rows. */
export interface Preview {
  mapping: string
  draft: Json
  columns: { name: string; samples: string[] }[]
  rows: { row: number; fate: Fate; reason: string; remedy: string; cells: string[] }[]
  created: number
  updated: number
  unchanged: number
  refused: number
  notes: { text: string; count: number }[]
  /** what is wrong with the mapping as a whole, one sentence each */
  problems: string[]
}

export function decodePreview(body: Json): Preview {
  const preview = new Fields<Wire['ImportPreview']>(body, 'preview')
  return {
    mapping: preview.text('mapping'),
    draft: preview.json('draft'),
    columns: preview.list('columns', (column) => ({ name: column.text('name'), samples: column.texts('samples') })),
    rows: preview.list('rows', (row) => ({ row: row.number('row'), fate: row.oneOf('fate', fates), reason: row.textOr('reason', ''), remedy: row.textOr('remedy', ''), cells: row.texts('cells') })),
    created: preview.number('created'),
    updated: preview.number('updated'),
    unchanged: preview.number('unchanged'),
    refused: preview.number('refused'),
    notes: preview.list('notes', (note) => ({ text: note.text('text'), count: note.number('count') })),
    problems: problemsOf(preview.json('problem')),
  }
}

function problemsOf(problem: Json): string[] {
  if (typeof problem !== 'object' || problem === null || Array.isArray(problem)) return []
  const { field, message, details } = problem
  if (Array.isArray(details) && details.length > 0) return details.flatMap(problemsOf)
  return [`${typeof field === 'string' && field !== '' ? `${field}: ` : ''}${String(message)}`]
}

/** look asks what an import would make of the first rows; an empty mapping is proposed. */
export async function look(file: File, mapping: string): Promise<Preview> {
  const form = new FormData()
  if (mapping.trim() !== '') form.set('mapping', mapping)
  form.set('file', file, file.name)
  return decodePreview((await send('POST', '/imports/preview', { body: form })).body)
}

export function importForm(file: File, mapping: string, dryRun: boolean): FormData {
  const form = new FormData()
  // Fields stand before the file, so that the server knows them when the file starts to come.
  if (mapping.trim() !== '') form.set('mapping', mapping)
  form.set('dry_run', String(dryRun))
  form.set('file', file, file.name)
  return form
}

export const isActive = (state: ImportState): boolean => state === 'waiting' || state === 'running' || state === 'undoing'

/** done is how much of the file has been read, 0 to 1; null while nothing is known. */
export function done(item: Import): number | null {
  if (item.state === 'done' || item.state === 'undone') return 1
  if (item.state === 'undoing') return null
  if (item.rowsTotal !== null && item.rowsTotal > 0) return Math.min(1, item.rowsRead / item.rowsTotal)
  return item.bytesTotal > 0 ? Math.min(1, item.bytesRead / item.bytesTotal) : null
}
