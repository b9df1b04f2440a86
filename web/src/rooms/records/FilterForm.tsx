import { Button, NativeSelect } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { type Operator, operatorsOf, type Predicate, takesNothing } from '../../api/predicate'
import { useFormat } from '../../app/session'
import { FieldInput } from '../record/FieldInput'
import css from './Chips.module.css'
import { operatorWord } from './describe'
import { isNumeric, parseInput } from './value'

/** FilterForm makes one condition: field, what is asked of it, value. */
export function FilterForm({ object, onAdd }: { object: ObjectInfo; onAdd: (part: Predicate) => void }): ReactNode {
  const { place } = useFormat()
  const [name, setName] = useState(object.fields[0]?.name ?? '')
  const [wanted, setWanted] = useState<Operator>('eq')
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const field = fieldOf(object, name)
  if (field === undefined) return null
  const operators: Operator[] = operatorsOf[field.kind].filter((each) => each !== 'in' && each !== 'not_in')
  const op = operators.includes(wanted) ? wanted : operators[0] ?? 'not_empty'
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (takesNothing(op)) return onAdd({ field: name, op })
    const parsed = parseInput(valueField(field), text, place)
    if (!parsed.ok) return setError(parsed.message)
    if (parsed.value === null) return setError('Give a value, or choose “is empty”.')
    return onAdd({ field: name, op, value: field.kind === 'multi_pick' && Array.isArray(parsed.value) ? parsed.value[0] ?? null : parsed.value })
  }
  return (
    <form className={css['form']} onSubmit={submit}>
      <NativeSelect size="xs" label="Field" value={name} data={object.fields.map((each) => ({ value: each.name, label: each.label }))} onChange={(event) => {
        setName(event.currentTarget.value)
        setText('')
        setError(undefined)
      }} />
      <NativeSelect size="xs" label="Is" value={op} data={operators.map((value) => ({ value, label: operatorWord(value, field) }))}
        onChange={(event) => setWanted(operators.find((each) => each === event.currentTarget.value) ?? 'eq')} />
      {!takesNothing(op) && <FieldInput size="xs" field={valueField(field)} label={isNumeric(field) ? `Value${field.kind === 'money' ? ` in ${place.currency}` : ''}` : 'Value'} text={text} onText={setText} error={error} />}
      <Button size="xs" type="submit">Apply filter</Button>
    </form>
  )
}

/** Filters ask an instant by its day: a clock time is seldom meant. */
function valueField(field: FieldInfo): FieldInfo {
  return field.kind === 'instant' ? { ...field, kind: 'date' } : field.kind === 'long_text' ? { ...field, kind: 'text' } : field
}
