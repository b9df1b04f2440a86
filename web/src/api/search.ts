// Finding records by what a person types: GET /search.
import { Fields, type Json } from './decode'
import { get } from './client'
import type { Wire } from './wire'

export interface Hit {
  id: string
  title: string
  /** what tells it from its namesakes; '' for nothing */
  subtitle: string
  /** the field that matched; "id" for a public id */
  matched: string
}

export interface HitGroup {
  object: string
  label: string
  items: Hit[]
  /** there are, or may be, others */
  more: boolean
}

export function decodeFound(body: Json): HitGroup[] {
  return new Fields<Wire['Found']>(body, 'found').list('groups', (group) => ({
    object: group.text('object'),
    label: group.text('label'),
    items: group.list('items', (hit) => ({ id: hit.text('id'), title: hit.textOr('title', hit.text('id')), subtitle: hit.textOr('subtitle', ''), matched: hit.textOr('matched', '') })),
    more: group.flag('more'),
  }))
}

export const searchKey = (text: string): readonly unknown[] => ['search', text]

/** search finds records; a search that is no longer wanted is cancelled by its signal. */
export async function search(text: string, signal?: AbortSignal): Promise<HitGroup[]> {
  return decodeFound(await get('/search', { q: text, limit: 5 }, signal))
}
