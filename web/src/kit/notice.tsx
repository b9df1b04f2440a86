import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { explain } from '../api/problem'

export interface Action {
  label: string
  run: () => Promise<void>
}

/** show says what happened, politely, for six seconds, with the way back where there is one. */
export function show(message: string, action?: Action): void {
  const id = `told-${Date.now()}-${Math.random()}`
  notifications.show({
    id, color: 'canopy', autoClose: 6000, role: 'status', closeButtonProps: { 'aria-label': 'Dismiss' },
    message: (
      <div style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 12 }}>
        <span>{message}</span>
        {action !== undefined && (
          <Button size="compact-xs" variant="default" onClick={() => {
            notifications.hide(id)
            action.run().catch((problem: unknown) => showFailure('That could not be undone', problem))
          }}>{action.label}</Button>
        )}
      </div>
    ),
  })
}

export function showFailure(what: string, error: unknown): void {
  const { message, remedy } = explain(error)
  notifications.show({ color: 'red', autoClose: 12_000, role: 'alert', title: what, message: [message, remedy].filter((each) => each !== null).join(' '), closeButtonProps: { 'aria-label': 'Dismiss' } })
}
