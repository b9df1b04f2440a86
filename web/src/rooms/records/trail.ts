// The list that a person came from, so that [ and ] walk on in it from record to record. It lives in the tab, not in the URL: a link to a
// record is a link to the record.
import { fetchRecords, type ListQuery } from '../../api/records'

export interface Trail {
  object: string
  /** the list's address, to go back to */
  href: string
  query: ListQuery
  ids: string[]
  nextCursor: string | null
}

const storageKey = 'canopy-trail'

let trail: Trail | null | undefined

/** leaveTrail notes the list that a record is opened from. */
export function leaveTrail(next: Trail): void {
  trail = next
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(next))
  } catch {
    // A closed or full storage only means that the way is forgotten with a reload.
  }
}

/** trailOf gives the list that the record was opened from; null where it was opened otherwise. */
export function trailOf(object: string, id: string): Trail | null {
  if (trail === undefined) trail = stored()
  return trail !== null && trail.object === object && trail.ids.includes(id) ? trail : null
}

function stored(): Trail | null {
  try {
    const text = sessionStorage.getItem(storageKey)
    if (text === null) return null
    const raw = JSON.parse(text) as Partial<Trail> // written by leaveTrail; its parts are looked at below
    if (typeof raw.object !== 'string' || typeof raw.href !== 'string' || !raw.href.startsWith('/') || !Array.isArray(raw.ids) || raw.query === undefined) return null
    return { object: raw.object, href: raw.href, query: raw.query, ids: raw.ids.filter((id) => typeof id === 'string'), nextCursor: raw.nextCursor ?? null }
  } catch {
    return null
  }
}

/** neighbour gives the record before (-1) or after (1) in the trail, and fetches the list's next page where it must; null at its ends. */
export async function neighbour(of: Trail, id: string, by: -1 | 1): Promise<string | null> {
  const at = of.ids.indexOf(id) + by
  if (at < 0) return null
  const known = of.ids[at]
  if (known !== undefined) return known
  if (of.nextCursor === null) return null
  const page = await fetchRecords(of.object, { ...of.query, cursor: of.nextCursor })
  leaveTrail({ ...of, ids: [...of.ids, ...page.items.map((each) => each.id)], nextCursor: page.nextCursor })
  return page.items[0]?.id ?? null
}
