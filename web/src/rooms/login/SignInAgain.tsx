import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { meKey } from '../../api/me'
import { Dialog } from '../../kit/Dialog'
import { LoginForm } from './Page'

/** SignInAgain stands over a page whose session has ended; the page and its drafts stay as they are. */
export function SignInAgain({ email, onDone }: { email: string; onDone: () => void }): ReactNode {
  const client = useQueryClient()
  return (
    <Dialog title="Your session has ended" width={380}>
      <p className="dim">Sign in again to go on. What you have written on this page is still there.</p>
      <LoginForm email={email} onDone={(me) => {
        client.setQueryData(meKey, me)
        onDone()
        void client.invalidateQueries()
      }} />
    </Dialog>
  )
}
