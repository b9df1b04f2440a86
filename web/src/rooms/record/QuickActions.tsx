import { IconMail, IconPencilPlus, IconPhone } from '@tabler/icons-react'
import type { ReactNode, RefObject } from 'react'
import type { Rec } from '../../api/records'
import css from './QuickActions.module.css'

/** QuickActions stands over a record on a phone: call, write, log. */
export function QuickActions({ record, log }: { record: Rec; log: RefObject<HTMLInputElement | null> | null }): ReactNode {
  const phone = record.fields['phone']
  const email = record.fields['email']
  if (log === null && typeof phone !== 'string' && typeof email !== 'string') return null
  return (
    <div className={css['bar']} role="toolbar" aria-label="Quick actions">
      {typeof phone === 'string' && <a href={`tel:${phone}`} className={css['action']}><IconPhone size={18} /> Call</a>}
      {typeof email === 'string' && <a href={`mailto:${email}`} className={css['action']}><IconMail size={18} /> Mail</a>}
      {log !== null && (
        <button type="button" className={css['action']} onClick={() => {
          log.current?.scrollIntoView({ block: 'center' })
          log.current?.focus()
        }}><IconPencilPlus size={18} /> Log</button>
      )}
    </div>
  )
}
