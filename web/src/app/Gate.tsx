import { useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { onSignedOut } from '../api/client'
import { fetchMe, meKey } from '../api/me'
import { Problem } from '../api/problem'
import { Failed } from '../kit/states'
import { SessionProvider } from './session'
import { Shell } from './Shell'

const SignInAgain = lazy(async () => ({ default: (await import('../rooms/login/SignInAgain')).SignInAgain }))

/** ToLogin leads to the login, once, and back to where the reader was: the address changes while it still stands. */
function ToLogin(): ReactNode {
  const navigate = useNavigate()
  const { href } = useLocation()
  const [next] = useState(href)
  useEffect(() => void navigate({ to: '/login', search: { next }, replace: true }), [navigate, next])
  return <div id="shell-bar" />
}

/** Gate lets in who is signed in. A session that ends while somebody works asks for the password on top of the page, so that no draft is lost. */
export function Gate(): ReactNode {
  const me = useQuery({ queryKey: meKey, queryFn: ({ signal }) => fetchMe(signal), staleTime: Infinity })
  const [ended, setEnded] = useState(false)
  useEffect(() => {
    onSignedOut(() => setEnded(true))
    return () => onSignedOut(() => undefined)
  }, [])

  if (me.data === undefined) {
    if (me.error instanceof Problem && me.error.status === 401) return <ToLogin />
    if (me.error !== null) return <main style={{ padding: 24 }}><Failed what="Canopy" error={me.error} retry={() => void me.refetch()} /></main>
    return <div id="shell-bar" />
  }
  return (
    <SessionProvider me={me.data}>
      <Shell />
      {ended && <Suspense><SignInAgain email={me.data.user.email} onDone={() => setEnded(false)} /></Suspense>}
    </SessionProvider>
  )
}
