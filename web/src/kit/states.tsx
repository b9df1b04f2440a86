import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { explain } from '../api/problem'
import css from './states.module.css'

/** Failed says what could not be shown, what is safe, and offers to try again; it fills its card, never the page. */
export function Failed({ what, error, retry }: { what: string; error: unknown; retry?: (() => void) | undefined }): ReactNode {
  const { message, remedy, requestId } = explain(error)
  return (
    <div className={css['state']} role="alert">
      <strong>{what} could not be shown</strong>
      <span>{message}{remedy !== null && ` ${remedy}`}</span>
      {requestId !== null && <span className="dim">Request {requestId}</span>}
      {retry !== undefined && <Button size="xs" variant="default" onClick={retry}>Try again</Button>}
    </div>
  )
}

/** Waiting is a skeleton in the shape of what comes; it appears after 150 ms, so that quick answers do not flicker. */
export function Waiting({ rows = 6, height = 20, label }: { rows?: number; height?: number; label: string }): ReactNode {
  return (
    <div className={css['waiting']} role="status" aria-label={`${label} is loading`}>
      {Array.from({ length: rows }, (_, i) => <div key={i} className={css['bone']} style={{ height }} />)}
    </div>
  )
}

/** Empty says why there is nothing and gives the one next step. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }): ReactNode {
  return (
    <div className={css['state']}>
      <strong>{title}</strong>
      {children !== undefined && <span>{children}</span>}
      {action}
    </div>
  )
}
