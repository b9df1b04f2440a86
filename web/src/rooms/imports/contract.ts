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

/** propose asks for a mapping that fits a file; it reads only as much of the file as is needed for that. */
export async function propose(file: File): Promise<string> {
  const form = new FormData()
  form.set('file', file, file.name)
  return mappingText((await send('POST', '/imports/propose', { body: form })).body)
}

export function mappingText(body: Json): string {
  const value = new Fields<Wire['MappingProposal']>(body, 'proposal').json('mapping')
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
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
