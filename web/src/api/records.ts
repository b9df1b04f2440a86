import { Fields, type Json, textMap } from './decode'
import { get, newKey, send } from './client'
import type { Predicate } from './predicate'
import type { Wire } from './wire'

/** A record as the API gives it: field names are the workspace's own words and stay as they are. */
export interface Rec {
  id: string
  object: string
  version: number
  createdAt: string
  updatedAt: string
  happenedAt: string
  deleted: boolean
  fields: Record<string, Json>
  /** by reference field: the title of the record that it points to */
  titles: Record<string, string>
}

export interface RecordPage {
  items: Rec[]
  nextCursor: string | null
  count: { value: number; capped: boolean }
}

export interface ListQuery {
  filter: Predicate | null
  sort: string
  limit: number
  cursor?: string | null
  happenedBefore?: string
  position?: number
}

export function decodeRecord(record: Fields<Wire['Record']>): Rec {
  const fields = record.json('fields')
  return {
    id: record.text('id'),
    object: record.text('object'),
    version: record.number('version'),
    createdAt: record.textOr('created_at', ''),
    updatedAt: record.textOr('updated_at', ''),
    happenedAt: record.textOr('happened_at', ''),
    deleted: record.flag('deleted'),
    fields: typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : {},
    titles: textMap(record.json('titles')),
  }
}

export function decodeRecordPage(body: Json): RecordPage {
  const page = new Fields<Wire['RecordPage']>(body, 'records')
  return {
    items: page.list('items', decodeRecord),
    nextCursor: page.textOr('next_cursor', null),
    count: page.objectOr('count', (count) => ({ value: count.number('value'), capped: count.flag('capped') }), { value: 0, capped: false }),
  }
}

export function recordsKey(object: string, query: ListQuery): readonly unknown[] {
  return ['records', object, query]
}

export async function fetchRecords(object: string, query: ListQuery, signal?: AbortSignal): Promise<RecordPage> {
  return decodeRecordPage(await get(`/records/${object}`, {
    filter: query.filter === null ? null : JSON.stringify(query.filter),
    sort: query.sort,
    limit: query.limit,
    cursor: query.cursor,
    happened_before: query.happenedBefore,
    position: query.position,
  }, signal))
}

export function recordKey(object: string, id: string): readonly unknown[] {
  return ['record', object, id]
}

export async function fetchRecord(object: string, id: string, signal?: AbortSignal): Promise<Rec> {
  return decodeRecord(new Fields<Wire['Record']>(await get(`/records/${object}/${id}`, undefined, signal), 'record'))
}

const versionTag = (version: number): string => `"${version}"`

/** Write holds what all writes share: when it happened (null: now). */
export interface Write {
  happenedAt: string | null
  /** why a deal passes over what its new stage asks for */
  override?: string | undefined
}

function withInstant(fields: Record<string, Json>, { happenedAt, override }: Write): Json {
  return { fields, ...(happenedAt === null ? {} : { happened_at: happenedAt }), ...(override === undefined ? {} : { override }) }
}

export async function createRecord(object: string, fields: Record<string, Json>, write: Write, key: string = newKey()): Promise<Rec> {
  const answer = await send('POST', `/records/${object}`, { body: withInstant(fields, write), headers: { 'idempotency-key': key } })
  return decodeRecord(new Fields<Wire['Record']>(answer.body, 'record'))
}

/** patchRecord changes fields of the version that the reader saw; a newer version is a Problem of status 412. */
export async function patchRecord(record: Rec, fields: Record<string, Json>, write: Write): Promise<Rec> {
  const answer = await send('PATCH', `/records/${record.object}/${record.id}`, {
    body: withInstant(fields, write), headers: { 'if-match': versionTag(record.version) },
  })
  return decodeRecord(new Fields<Wire['Record']>(answer.body, 'record'))
}

export async function deleteRecord(record: Rec): Promise<void> {
  await send('DELETE', `/records/${record.object}/${record.id}`, { headers: { 'if-match': versionTag(record.version) } })
}

export async function restoreRecord(object: string, id: string): Promise<Rec> {
  const answer = await send('POST', `/records/${object}/${id}/restore`)
  return decodeRecord(new Fields<Wire['Record']>(answer.body, 'record'))
}

export interface BatchCreate {
  object: string
  fields: Record<string, Json>
  happenedAt: string | null
}

/** createTogether creates several records or none. */
export async function createTogether(creates: BatchCreate[]): Promise<void> {
  await send('POST', '/batch', {
    body: {
      atomic: true,
      operations: creates.map(({ object, fields, happenedAt }) => ({
        op: 'create', object, fields, idempotency_key: newKey(), ...(happenedAt === null ? {} : { happened_at: happenedAt }),
      })),
    },
  })
}
