import { ActionIcon } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useFormat } from '../../app/session'
import { tell, tellFailure } from '../../kit/tell'
import { recordPath } from '../records/names'
import { neighbour, trailOf } from '../records/trail'

/** TrailSteps walks to the records before and after in the list that the reader came from; nothing where they came from none. */
export function TrailSteps({ object, record }: { object: ObjectInfo; record: Rec }): ReactNode {
  const navigate = useNavigate()
  const format = useFormat()
  const [busy, setBusy] = useState(false)
  const trail = trailOf(object.name, record.id)
  const step = (by: -1 | 1): void => {
    if (trail === null || busy) return
    setBusy(true)
    neighbour(trail, record.id, by)
      .then((id) => (id === null ? tell(by < 0 ? 'This is the first of the list' : 'This is the last of the list') : void navigate({ to: recordPath(object.name, id), replace: true })))
      .catch((problem: unknown) => tellFailure('The list could not be read on', problem))
      .finally(() => setBusy(false))
  }
  useKeys({ '[': () => step(-1), ']': () => step(1) })
  if (trail === null) return null
  const at = trail.ids.indexOf(record.id)
  return (
    <div role="group" aria-label="In the list" style={{ display: 'flex', alignItems: 'center', gap: 4 }}>
      <ActionIcon variant="default" size={30} aria-label={`Previous ${object.label.toLowerCase()} ([)`} disabled={at === 0} onClick={() => step(-1)}><IconChevronLeft size={16} /></ActionIcon>
      <span className="dim num" style={{ fontSize: 'var(--text-sm)' }}>{format.whole(at + 1)} of {format.whole(trail.ids.length)}{trail.nextCursor !== null && '+'}</span>
      <ActionIcon variant="default" size={30} aria-label={`Next ${object.label.toLowerCase()} (])`} disabled={at === trail.ids.length - 1 && trail.nextCursor === null} onClick={() => step(1)}><IconChevronRight size={16} /></ActionIcon>
    </div>
  )
}

/** backTo is the list that the reader came from; null where they came from none. */
export function backTo(object: string, id: string): string | null {
  return trailOf(object, id)?.href ?? null
}
