// What a page has to say in passing. The part that draws it is fetched with the first thing that is said: most visits say nothing.
import type { Action } from './notice'

/** tell says what happened, politely, for six seconds, with the way back where there is one. */
export function tell(message: string, action?: Action): void {
  void notice().then(({ show }) => show(message, action))
}

/** tellFailure says what did not work, and why. */
export function tellFailure(what: string, error: unknown): void {
  void notice().then(({ showFailure }) => showFailure(what, error))
}

let wanted = false
const listeners = new Set<() => void>()

/** subscribe and isWanted tell the root of the page when there is something to draw. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const isWanted = (): boolean => wanted

function notice(): Promise<typeof import('./notice')> {
  wanted = true
  for (const listener of listeners) listener()
  return import('./notice')
}
