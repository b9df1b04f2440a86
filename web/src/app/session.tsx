import { createContext, type ReactNode, use, useMemo } from 'react'
import type { Me } from '../api/me'
import { createFormat, type Format } from '../format/format'

interface Session {
  me: Me
  format: Format
}

const Context = createContext<Session | null>(null)

export function SessionProvider({ me, children }: { me: Me; children: ReactNode }): ReactNode {
  const session = useMemo(() => ({ me, format: createFormat(me.workspace) }), [me])
  return <Context value={session}>{children}</Context>
}

/** useSession gives who is signed in and how their workspace writes numbers; it is an error outside the shell. */
export function useSession(): Session {
  const session = use(Context)
  if (session === null) throw new Error('useSession is for pages inside the shell')
  return session
}

export function useFormat(): Format {
  return useSession().format
}
