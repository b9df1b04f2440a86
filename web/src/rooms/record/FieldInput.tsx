import { MultiSelect, NativeSelect, Select, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { FieldInfo } from '../../api/objects'
import { all, type Predicate } from '../../api/predicate'
import { fetchRecord, fetchRecords, recordKey, recordsKey } from '../../api/records'
import { useObjects } from '../../app/queries'
import { titleOf } from '../records/names'
import { FileInput } from './FileInput'
import { AddressInput } from './AddressInput'

interface Props {
  field: FieldInfo
  /** the text form of parseInput */
  text: string
  onText: (text: string) => void
  label: ReactNode
  error?: string | undefined
  autoFocus?: boolean
  /** narrows what a reference may point to: the stages of one pipeline */
  among?: Predicate | null
  size?: 'xs' | 'sm'
  description?: string | undefined
  /** lists of choices open over everything: for inputs in a box that scrolls. Not in dialogs, which lie over all of the page */
  portal?: boolean
  /** the label is heard and not seen */
  hideLabel?: boolean
}

/** FieldInput is the input that belongs to a field's kind. */
export function FieldInput({ field, text, onText, among = null, portal = false, hideLabel = false, ...rest }: Props): ReactNode {
  const shared = hideLabel ? { ...rest, labelProps: { className: 'sr' } } : rest
  const typed = { ...shared, value: text, onChange: (event: { currentTarget: { value: string } }) => onText(event.currentTarget.value) }
  switch (field.kind) {
    case 'picklist':
      return <NativeSelect {...typed} data={[{ value: '', label: '—' }, ...field.options.filter((option) => !option.retired || option.value === text)]} />
    case 'boolean':
      return <NativeSelect {...typed} data={[{ value: '', label: '—' }, { value: 'true', label: 'Yes' }, { value: 'false', label: 'No' }]} />
    case 'multi_pick':
      return <MultiSelect {...shared} value={text === '' ? [] : text.split(',')} onChange={(values) => onText(values.join(','))} data={field.options.filter((option) => !option.retired)} comboboxProps={{ withinPortal: portal }} />
    case 'long_text':
      return <Textarea {...typed} autosize minRows={3} maxRows={12} />
    case 'date':
      return <TextInput {...typed} type="date" />
    case 'instant':
      return <TextInput {...typed} type="datetime-local" />
    case 'money':
    case 'number':
      return <TextInput {...typed} inputMode="decimal" />
    case 'email':
      return <TextInput {...typed} type="email" />
    case 'phone':
      return <TextInput {...typed} type="tel" />
    case 'url':
      return <TextInput {...typed} type="url" />
    case 'address':
      return <AddressInput {...shared} text={text} onText={onText} />
    case 'file':
      return <FileInput field={field} text={text} onText={onText} {...shared} />
    case 'reference':
      return <RecordPicker to={field.to} among={among} value={text} onValue={onText} portal={portal} {...shared} />
    default:
      return <TextInput {...typed} maxLength={1000} />
  }
}

interface PickerProps extends Omit<Props, 'field' | 'text' | 'onText' | 'among' | 'hideLabel'> {
  to: string
  among: Predicate | null
  value: string
  onValue: (id: string) => void
  placeholder?: string
  'aria-label'?: string
}

/** RecordPicker finds a record by its title while it is typed. */
export function RecordPicker({ to, among, value, onValue, portal = false, ...shared }: PickerProps): ReactNode {
  const object = useObjects().data?.find((each) => each.name === to)
  const [typed, setTyped] = useState('')
  const [settled] = useDebouncedValue(typed, 150)
  const current = useQuery({ queryKey: recordKey(to, value), queryFn: ({ signal }) => fetchRecord(to, value, signal), enabled: value !== '', staleTime: 300_000 })
  const currentTitle = current.data !== undefined && object !== undefined ? titleOf(object, current.data) : value
  const asked = settled.trim() !== '' && settled !== currentTitle ? settled.trim() : ''
  const name: Predicate[] = asked === '' || object === undefined ? [] : [{ field: object.title, op: 'contains', value: asked }]
  const query = { filter: all([...(among === null ? [] : [among]), ...name]), sort: '', limit: 20 }
  const found = useQuery({ queryKey: recordsKey(to, query), queryFn: ({ signal }) => fetchRecords(to, query, signal), enabled: object !== undefined, placeholderData: (old) => old })
  const options = object === undefined ? [] : (found.data?.items ?? []).map((record) => ({ value: record.id, label: titleOf(object, record) }))
  if (value !== '' && !options.some((option) => option.value === value)) options.unshift({ value, label: currentTitle })
  return (
    <Select {...shared} searchable clearable data={options} value={value === '' ? null : value} onChange={(next) => onValue(next ?? '')} searchValue={typed} onSearchChange={setTyped}
      filter={({ options: given }) => given} nothingFoundMessage={found.isFetching ? 'Searching…' : found.isError ? 'The search failed.' : 'Nothing found'}
      clearButtonProps={{ 'aria-label': 'Clear' }} comboboxProps={{ withinPortal: portal }} />
  )
}
