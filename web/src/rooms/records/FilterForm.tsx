import { Button, NativeSelect } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { ObjectInfo } from '../../api/objects'
import { type Operator, type Predicate, takesNothing } from '../../api/predicate'
import { useFormat } from '../../app/session'
import { FieldInput } from '../record/FieldInput'
import css from './Chips.module.css'
import { operatorWord } from './describe'
import { filterField, filterFields, operatorsFor, takesMany, valueField } from './draft'
import { isNumeric, parseInput } from './value'

/** FilterForm makes one condition: field, what is asked of it, value. */
export function FilterForm({ object, onAdd }: { object: ObjectInfo; onAdd: (part: Predicate) => void }): ReactNode {
  const { place } = useFormat()
  const [name, setName] = useState(object.fields[0]?.name ?? '')
  const [wanted, setWanted] = useState<Operator>('eq')
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const field = filterField(object, name)
  if (field === undefined) return null
  const operators: Operator[] = operatorsFor(field)
  const op = operators.includes(wanted) ? wanted : operators[0] ?? 'not_empty'
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (takesNothing(op)) return onAdd({ field: name, op })
    const parsed = parseInput(valueField(field, op), text, place)
    if (!parsed.ok) return setError(parsed.message)
    if (parsed.value === null || (Array.isArray(parsed.value) && parsed.value.length === 0)) return setError('Give a value, or choose “is empty”.')
    return onAdd({ field: name, op, value: takesMany(op) && !Array.isArray(parsed.value) ? [parsed.value] : parsed.value })
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <NativeSelect size="xs" label="Field" value={name} data={filterFields(object).map((each) => ({ value: each.name, label: each.label }))} onChange={(event) => {
        setName(event.currentTarget.value)
        setText('')
        setError(undefined)
      }} />
      <NativeSelect size="xs" label="Is" value={op} data={operators.map((value) => ({ value, label: operatorWord(value, field) }))}
        onChange={(event) => {
          setWanted(operators.find((each) => each === event.currentTarget.value) ?? 'eq')
          setText('')
        }} />
      {!takesNothing(op) && <FieldInput size="xs" field={valueField(field, op)} label={isNumeric(field) ? `Value${field.kind === 'money' ? ` in ${place.currency}` : ''}` : 'Value'} text={text} onText={setText} error={error} />}
      <Button size="xs" type="submit">Apply filter</Button>
    </form>
  )
}
