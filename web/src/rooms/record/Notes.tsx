import { Textarea } from '@mantine/core'
import type { ReactNode } from 'react'

/** Notes is the box for what was said. It has a file of its own, so that a page that is only read does not fetch it. */
export function Notes({ value, onValue }: { value: string; onValue: (text: string) => void }): ReactNode {
  return <Textarea size="xs" aria-label="Notes" placeholder="What was said (optional)" autosize minRows={2} maxRows={8} value={value} onChange={(event) => onValue(event.currentTarget.value)} />
}
