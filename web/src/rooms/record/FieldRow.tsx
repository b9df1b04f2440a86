import { Button } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { instantToZoned } from '../../format/format'
import { recordPath } from '../records/names'
import { inputText, isEditable, parseInput, readMoney, writeValue } from '../records/value'
import { FieldInput } from './FieldInput'
import css from './FieldRow.module.css'
import type { Writing } from './writing'

interface Props {
  record: Rec
  field: FieldInfo
  writable: boolean
  happenedAt: string | null
  writing: Writing
}

/** FieldRow shows one field and edits it in place. Where somebody else changed it meanwhile, it shows both values and lets the reader choose. */
export function FieldRow(props: Props): ReactNode {
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
  if (editing) return <FieldEditor {...props} onDone={() => setEditing(false)} />
  return (
    <div className={css['row']}>
      <dt title={field.help}>{field.label}</dt>
      <dd>
        {field.kind === 'reference' && typeof value === 'string'
          ? <Link className={css['value']} to={recordPath(field.to, value)}>{words}</Link>
          : field.kind === 'url' && typeof value === 'string' && /^https?:/.test(value)
            ? <a className={css['value']} href={value} target="_blank" rel="noreferrer noopener">{words}</a>
            : <span className={`${css['value']} ${value === null || value === undefined ? 'dim' : ''}`}>{words}</span>}
        {editable && (
          <button ref={button} type="button" className={css['edit']} data-edit aria-label={`Edit ${field.label}`} onClick={() => setEditing(true)}><IconPencil size={14} /></button>
        )}
      </dd>
    </div>
  )
}

function FieldEditor({ record, field, happenedAt, writing, onDone }: Props & { onDone: () => void }): ReactNode {
  const format = useFormat()
  const { zone } = format.place
  const [seen] = useState(record)
  const stored = seen.fields[field.name]
  const currency = readMoney(stored)?.currency ?? format.place.currency
  const [text, setText] = useState(() => inputText(field, stored, (at) => instantToZoned(zone, new Date(at))))
  const [error, setError] = useState<string>()
  const [theirs, setTheirs] = useState<Rec>()
  const [busy, setBusy] = useState(false)

  const write = async (over: Rec): Promise<void> => {
    const parsed = parseInput(field, text, { currency, zone })
    if (!parsed.ok) return setError(parsed.message)
    setBusy(true)
    setError(undefined)
    try {
      const saved = await writing.save(over, { [field.name]: parsed.value }, happenedAt)
      if (saved.kind === 'saved') return onDone()
      setTheirs(saved.theirs)
    } catch (problem) {
      const { message, remedy } = explain(problem)
      setError([message, remedy].filter((each) => each !== null).join(' '))
    } finally {
      setBusy(false)
    }
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    void write(theirs ?? seen)
  }
  const press = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) return
    event.stopPropagation()
    onDone()
  }
  return (
    <div className={css['editing']}>
      <dt className="sr">{field.label}</dt>
      <dd>
        <form onSubmit={submit} onKeyDown={press} className={css['form']}>
          <FieldInput field={field} size="xs" label={field.kind === 'money' ? `${field.label} (${currency})` : field.label} description={field.help} text={text} onText={setText} error={error} autoFocus among={amongOf(record, field)} />
          {theirs !== undefined && <Conflict field={field} theirs={theirs} mine={parseInput(field, text, { currency, zone })} />}
          <div className={css['buttons']}>
            <Button size="compact-xs" type="submit" loading={busy}>{theirs === undefined ? 'Save' : 'Save mine'}</Button>
            <Button size="compact-xs" variant="default" onClick={onDone}>{theirs === undefined ? 'Cancel' : 'Keep theirs'}</Button>
          </div>
        </form>
      </dd>
    </div>
  )
}

function Conflict({ field, theirs, mine }: { field: FieldInfo; theirs: Rec; mine: { ok: boolean; value?: Json } }): ReactNode {
  const format = useFormat()
  return (
    <div role="alert" className={css['conflict']}>
      <strong>Somebody changed this while you were writing.</strong>
      <div>Theirs: <b>{writeValue(field, theirs.fields[field.name], theirs.titles[field.name], format)}</b></div>
      <div>Yours: <b>{mine.ok ? writeValue(field, mine.value, undefined, format) : '—'}</b></div>
    </div>
  )
}

/** amongOf narrows a reference by another field of the record: the stages are those of its pipeline. */
export function amongOf(record: Pick<Rec, 'fields'>, field: FieldInfo): { field: string; op: 'eq'; value: string } | null {
  const pipeline = record.fields['pipeline']
  return field.to === 'stage' && typeof pipeline === 'string' ? { field: 'pipeline', op: 'eq', value: pipeline } : null
}
