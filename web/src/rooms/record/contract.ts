// A record's history as the server tells it: GET /records/{object}/{id}/timeline.
import { Fields, type Json } from '../../api/decode'
import { get } from '../../api/client'
import { decodeRecord, type Rec } from '../../api/records'
import type { Wire } from '../../api/wire'

export interface FieldChange {
  field: string
  label: string
  before: Json
  after: Json
  beforeTitle: string | null
  afterTitle: string | null
}

export interface TimelineItem {
  position: number
  happenedAt: string
  recordedAt: string
  happenedUnknown: boolean
  actor: { kind: string; id: string; name: string }
  cause: string
  kind: string
  version: number
  object: string
  id: string
  title: string
  changes: FieldChange[]
}

export interface TimelinePage {
  items: TimelineItem[]
  nextCursor: string | null
}

export function decodeTimeline(body: Json): TimelinePage {
  const page = new Fields<Wire['Timeline']>(body, 'timeline')
  return {
    items: page.list('items', (item) => ({
      position: item.numberOr('position', 0),
      happenedAt: item.text('happened_at'),
      recordedAt: item.text('recorded_at'),
      happenedUnknown: item.flag('happened_unknown'),
      actor: item.objectOr('actor', (actor) => ({ kind: actor.textOr('kind', 'system'), id: actor.textOr('id', ''), name: actor.textOr('name', '') }), { kind: 'system', id: '', name: '' }),
      cause: item.textOr('cause', ''),
      kind: item.text('kind'),
      version: item.numberOr('version', 0),
      object: item.text('object'),
      id: item.text('id'),
      title: item.textOr('title', ''),
      changes: item.list('changes', (change) => ({
        field: change.text('field'),
        label: change.textOr('label', change.text('field')),
        before: change.json('before'),
        after: change.json('after'),
        beforeTitle: change.textOr('before_title', null),
        afterTitle: change.textOr('after_title', null),
      })),
    })),
    nextCursor: page.textOr('next_cursor', null),
  }
}

export const timelineKey = (object: string, id: string, of: readonly string[] = []): readonly unknown[] => (of.length === 0 ? ['timeline', object, id] : ['timeline', object, id, of])

/** fetchTimeline gives a page; `of` narrows it to changes of these objects, none is all. */
export async function fetchTimeline(object: string, id: string, of: readonly string[], cursor: string | null, signal?: AbortSignal): Promise<TimelinePage> {
  return decodeTimeline(await get(`/records/${object}/${id}/timeline`, { limit: 20, cursor, of: of.join(',') }, signal))
}

// What points to a record: GET /records/{object}/{id}/related.

export interface RelatedGroup {
  object: string
  label: string
  /** the reference that points here */
  field: string
  name: string
  count: { value: number; capped: boolean }
  items: Rec[]
}

export interface Related {
  groups: RelatedGroup[]
  /** the last activities, newest first */
  interactions: Rec[]
}

export function decodeRelated(body: Json): Related {
  const related = new Fields<Wire['Related']>(body, 'related')
  return {
    groups: related.list('groups', (group) => ({
      object: group.text('object'),
      label: group.text('label'),
      field: group.text('field'),
      name: group.textOr('name', ''),
      count: group.object('count', (count) => ({ value: count.number('value'), capped: count.flag('capped') })),
      items: group.list('items', decodeRecord),
    })),
    interactions: related.list('interactions', decodeRecord),
  }
}

export const relatedKey = (object: string, id: string): readonly unknown[] => ['related', object, id]

export async function fetchRelated(object: string, id: string, signal?: AbortSignal): Promise<Related> {
  return decodeRelated(await get(`/records/${object}/${id}/related`, { limit: 5, interactions: 5 }, signal))
}
