import { lazy, type ReactNode, Suspense, useSyncExternalStore } from 'react'
import { isWanted, subscribe } from './tell'

const Notifications = lazy(async () => ({ default: (await import('@mantine/notifications')).Notifications }))

/** Notices is where told things appear, once there is one. */
export function Notices(): ReactNode {
  const wanted = useSyncExternalStore(subscribe, isWanted)
  return wanted ? <Suspense><Notifications position="bottom-center" autoClose={6000} limit={4} /></Suspense> : null
}
