// The records that this browser opened last, for the command menu. They are kept per person, so that nobody is shown another's on a shared machine.
const limit = 8

export interface Recent {
  object: string
  id: string
  title: string
}

const keyOf = (user: string): string => `canopy-recent-${user}`

export function recentOf(user: string): Recent[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(keyOf(user)) ?? '[]')
    return Array.isArray(list) ? list.filter(isRecent).slice(0, limit) : []
  } catch {
    return []
  }
}

function isRecent(value: unknown): value is Recent {
  if (typeof value !== 'object' || value === null) return false
  return ['object', 'id', 'title'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string') // an object, as checked above
}

/** noteRecent puts a record at the head of the list. */
export function noteRecent(user: string, recent: Recent): void {
  try {
    localStorage.setItem(keyOf(user), JSON.stringify([recent, ...recentOf(user).filter((each) => each.id !== recent.id)].slice(0, limit)))
  } catch {
    // A closed storage only means that nothing is remembered.
  }
}

/** forgetRecent clears the list of a person who signs out. */
export function forgetRecent(user: string): void {
  try {
    localStorage.removeItem(keyOf(user))
  } catch {
    // As above.
  }
}
