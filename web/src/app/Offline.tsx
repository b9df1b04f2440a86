import { type ReactNode, useSyncExternalStore } from 'react'
import css from './Offline.module.css'

function subscribe(listener: () => void): () => void {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}

/** Offline says while there is no connection that what is shown stays, and what is written waits for its button to be pressed again. */
export function Offline(): ReactNode {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine)
  return <div role="status">{!online && <p className={css['banner']}>You are offline. What you see may be old; what you write stays here until you save it again.</p>}</div>
}
