import { IconPencil } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import type { FieldInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { recordPath } from '../records/names'
import { isEditable, writeValue } from '../records/value'
import css from './FieldRow.module.css'
import type { Writing } from './writing'

// The inputs come when a pen is pointed at: a page that is only read needs none.
const fetchEditor = (): Promise<typeof import('./FieldEditor')> => import('./FieldEditor')
const FieldEditor = lazy(async () => ({ default: (await fetchEditor()).FieldEditor }))

export interface FieldProps {
  record: Rec
  field: FieldInfo
  writable: boolean
  happenedAt: string | null
  writing: Writing
}

/** ScoreBar is a score as a bar beside its words; where there is none yet it says so. */
function ScoreBar({ value, words }: { value: unknown; words: string }): ReactNode {
  if (typeof value !== 'number') return <span className="dim">no score yet</span>
  return <span className={css['score']}><span className={css['track']} aria-hidden="true"><span style={{ width: `${value * 100}%` }} /></span><span className="num">{words}</span></span>
}

/** FieldRow shows one field and edits it in place. Where somebody else changed it meanwhile, it shows both values and lets the reader choose. */
export function FieldRow(props: FieldProps): ReactNode {
  const { record, field, writable } = props
  const format = useFormat()
  const [editing, setEditing] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const back = useRef(false)
  useEffect(() => {
    if (!editing && back.current) button.current?.focus()
    back.current = editing
  }, [editing])
  const value = record.fields[field.name]
  const words = writeValue(field, value, record.titles[field.name], format)
  const editable = writable && isEditable(field)
  const shown = (
    <div className={css['row']}>
      <dt title={field.help}>{field.label}</dt>
      <dd>
        {field.kind === 'reference' && typeof value === 'string'
          ? <Link className={css['value']} to={recordPath(field.to, value)}>{words}</Link>
          : field.kind === 'url' && typeof value === 'string' && /^https?:/.test(value)
            ? <a className={css['value']} href={value} target="_blank" rel="noreferrer noopener">{words}</a>
            : field.kind === 'file' && value !== null && value !== undefined
              ? <a className={css['value']} href={`/api/v1/records/${record.object}/${record.id}/files/${field.name}`} download>{words}</a>
              : field.kind === 'score'
                ? <ScoreBar value={value} words={words} />
                : <span className={`${css['value']} ${value === null || value === undefined ? 'dim' : ''}`}>{words}</span>}
        {editable && (
          <button ref={button} type="button" className={css['edit']} data-edit aria-label={`Edit ${field.label}`} onPointerEnter={() => void fetchEditor()} onFocus={() => void fetchEditor()} onClick={() => setEditing(true)}><IconPencil size={14} /></button>
        )}
      </dd>
    </div>
  )
  return editing ? <Suspense fallback={shown}><FieldEditor {...props} onDone={() => setEditing(false)} /></Suspense> : shown
}
