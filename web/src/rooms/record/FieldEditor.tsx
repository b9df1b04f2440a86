import { Button } from '@mantine/core'
import { type FormEvent, type KeyboardEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { instantToZoned } from '../../format/format'
import { inputText, parseInput, readMoney, writeValue } from '../records/value'
import { amongOf } from './among'
import { FieldInput } from './FieldInput'
import type { FieldProps } from './FieldRow'
import css from './FieldRow.module.css'

/** FieldEditor writes one field. Where somebody else changed it meanwhile, it shows both values and lets the reader choose. */
export function FieldEditor({ record, field, happenedAt, writing, onDone }: FieldProps & { onDone: () => void }): ReactNode {
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
