import { Button } from '@mantine/core'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { instantToZoned } from '../../format/format'
import { amongOf } from '../record/among'
import { FieldInput } from '../record/FieldInput'
import css from './CellEditor.module.css'
import { titleOf } from './names'
import { inputText, parseInput, readMoney } from './value'

interface Props {
  object: ObjectInfo
  record: Rec
  field: FieldInfo
  /** a new value, made from the record as it was when the editor opened */
  onWrite: (seen: Rec, field: FieldInfo, value: Json) => void
  /** editing ended: stay (0), or edit the next (1) or previous (-1) cell */
  onDone: (move: 0 | 1 | -1) => void
}

/** CellEditor is the input of one field in its place. Enter saves, Tab saves and goes on to the next field, Escape leaves it as it was. */
export function CellEditor({ object, record, field, onWrite, onDone }: Props): ReactNode {
  const format = useFormat()
  const { zone } = format.place
  const [seen] = useState(record)
  const stored = seen.fields[field.name]
  const currency = readMoney(stored)?.currency ?? format.place.currency
  const [first] = useState(() => inputText(field, stored, (at) => instantToZoned(zone, new Date(at))))
  const [text, setText] = useState(first)
  const [error, setError] = useState<string>()

  const submit = (move: 0 | 1 | -1): void => {
    const parsed = parseInput(field, text, { currency, zone })
    if (!parsed.ok) return setError(parsed.message)
    if (parsed.value === null && field.required) return setError(`${field.label} is needed.`)
    if (text !== first) onWrite(seen, field, parsed.value)
    onDone(move)
  }
  const press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) return
    const onButton = event.target instanceof HTMLButtonElement
    if (event.key === 'Escape') onDone(0)
    else if (event.key === 'Enter' && !onButton && (field.kind !== 'long_text' || event.ctrlKey || event.metaKey)) submit(0)
    else if (event.key === 'Tab' && !onButton) submit(event.shiftKey ? -1 : 1)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className={css['editor']} onKeyDown={press}>
      <FieldInput field={field} size="xs" portal hideLabel autoFocus among={amongOf(record, field)} error={error} text={text}
        label={`${field.label}${field.kind === 'money' ? ` in ${currency}` : ''} of ${titleOf(object, record)}`}
        onText={(next) => {
          setText(next)
          setError(undefined)
        }} />
      <div className={css['buttons']}>
        <Button size="compact-xs" onClick={() => submit(0)}>Save</Button>
        <Button size="compact-xs" variant="default" onClick={() => onDone(0)}>Cancel</Button>
      </div>
    </div>
  )
}
