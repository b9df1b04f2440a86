import { Button, CloseButton, NativeSelect, Popover } from '@mantine/core'
import { IconFilterPlus } from '@tabler/icons-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { all, type Operator, operatorsOf, parts, type Predicate, takesNothing } from '../../api/predicate'
import { useFormat } from '../../app/session'
import { FieldInput } from '../record/FieldInput'
import css from './Chips.module.css'
import { describe, operatorWord, referredIds } from './describe'
import { useTitles } from './queries'
import { isNumeric, parseInput } from './value'

interface Props {
  object: ObjectInfo
  objects: ObjectInfo[]
  filter: Predicate | null
  onFilter: (filter: Predicate | null) => void
}

/** Chips shows the filter as words, part by part, each with its way out, and adds to it. */
export function Chips({ object, objects, filter, onFilter }: Props): ReactNode {
  const format = useFormat()
  const list = parts(filter)
  const title = useTitles(filter === null ? [] : referredIds(filter), objects)
  return (
    <div className={css['chips']} role="group" aria-label="Filters">
      {list.map((part, i) => {
        const words = describe(part, object, { objects, format, title })
        return <span key={i} className={css['chip']}>{words}<CloseButton size={20} iconSize={13} aria-label={`Remove filter: ${words}`} onClick={() => onFilter(all(list.filter((_, j) => j !== i)))} /></span>
      })}
      <AddFilter object={object} onAdd={(part) => onFilter(all([...list, part]))} />
      {list.length > 1 && <Button size="compact-xs" variant="subtle" onClick={() => onFilter(null)}>Clear all</Button>}
    </div>
  )
}

function AddFilter({ object, onAdd }: { object: ObjectInfo; onAdd: (part: Predicate) => void }): ReactNode {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" trapFocus width={300} withinPortal={false}>
      <Popover.Target><Button size="compact-xs" variant="subtle" leftSection={<IconFilterPlus size={15} />} onClick={() => setOpen(!open)}>Add filter</Button></Popover.Target>
      <Popover.Dropdown>
        <FilterForm object={object} onAdd={(part) => {
          onAdd(part)
          setOpen(false)
        }} />
      </Popover.Dropdown>
    </Popover>
  )
}

function FilterForm({ object, onAdd }: { object: ObjectInfo; onAdd: (part: Predicate) => void }): ReactNode {
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
