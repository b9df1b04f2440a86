import { useMemo, useState } from 'react'

/** Selection is which rows of a list are chosen. */
export interface Selection {
  /** the reader may do something with chosen rows */
  enabled: boolean
  ids: ReadonlySet<string>
  /** everything that the filter finds is chosen, also what is not loaded */
  everything: boolean
  has: (id: string) => boolean
  toggle: (id: string) => void
  put: (ids: string[]) => void
  putEverything: () => void
  clear: () => void
}

/** useSelection keeps the chosen rows; another `scope` (the list's filter) begins anew. */
export function useSelection(enabled: boolean, scope: string): Selection {
  const [state, setState] = useState<{ scope: string; ids: ReadonlySet<string>; everything: boolean }>({ scope, ids: new Set(), everything: false })
  if (state.scope !== scope) setState({ scope, ids: new Set(), everything: false })
  return useMemo(() => {
    const { ids, everything } = state.scope === scope ? state : { ids: new Set<string>(), everything: false }
    const write = (next: ReadonlySet<string>, whole = false): void => setState({ scope, ids: next, everything: whole })
    return {
      enabled, ids, everything,
      has: (id) => everything || ids.has(id),
      toggle: (id) => {
        const next = new Set(ids)
        if (!next.delete(id)) next.add(id)
        write(next)
      },
      put: (list) => write(new Set([...ids, ...list])),
      putEverything: () => write(ids, true),
      clear: () => write(new Set()),
    }
  }, [enabled, scope, state])
}
