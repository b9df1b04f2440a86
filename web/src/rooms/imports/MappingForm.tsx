import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { useObjects } from '../../app/queries'
import { Waiting } from '../../kit/states'
import type { Preview } from './contract'
import { change, constants, type Draft, fieldOf, readPairs, type RecordDraft, sendTo, writePairs } from './mapping'
import css from './MappingForm.module.css'

interface Props {
  draft: Draft
  columns: Preview['columns']
  onChange: (next: Draft) => void
}

/** MappingForm says for each column of a file into which field it goes, without YAML. */
export function MappingForm({ draft, columns, onChange }: Props): ReactNode {
  const objects = useObjects()
  if (objects.data === undefined) return <Waiting label="The objects" />
  const set = (place: number, next: RecordDraft): void => onChange({ ...draft, records: draft.records.map((each, i) => (i === place ? next : each)) })
  return (
    <div className={css['records']}>
      {draft.records.map((record, i) => <OneRecord key={i} record={record} many={draft.records.length > 1} objects={objects.data} columns={columns} onChange={(next) => set(i, next)} />)}
    </div>
  )
}

interface RecordProps {
  record: RecordDraft
  many: boolean
  objects: ObjectInfo[]
  columns: Preview['columns']
  onChange: (next: RecordDraft) => void
}

const keyKinds = ['text', 'email', 'phone', 'url']

function OneRecord({ record, many, objects, columns, onChange }: RecordProps): ReactNode {
  const object = objects.find((each) => each.name === record.object)
  const writable = object?.fields.filter((field) => !field.readOnly && field.kind !== 'file') ?? []
  const keys = writable.filter((field) => keyKinds.includes(field.kind) && record.fields[field.name] !== undefined)
  const whose = many ? ` (${object?.label ?? record.object})` : ''
  return (
    <section className={css['record']} aria-label={`Rows as ${object?.plural.toLowerCase() ?? record.object}`}>
      <div className={css['top']}>
        <NativeSelect size="sm" label={`Each row is one${whose}`} value={record.object} data={objects.map((each) => ({ value: each.name, label: each.label }))}
          onChange={(event) => onChange({ object: event.currentTarget.value, key: '', fields: {}, rest: {} })} />
        <NativeSelect size="sm" label={`Found again by${whose}`} value={record.key} data={[{ value: '', label: 'Nothing: each row makes a new one' }, ...keys.map((field) => ({ value: field.name, label: field.label }))]}
          onChange={(event) => onChange({ ...record, key: event.currentTarget.value })} />
      </div>
      <ul className={css['columns']}>
        {columns.map((column) => <Column key={column.name} column={column} record={record} fields={writable} objects={objects} onChange={onChange} />)}
      </ul>
      <Constants record={record} fields={writable} onChange={onChange} />
    </section>
  )
}

interface ColumnProps {
  column: Preview['columns'][number]
  record: RecordDraft
  fields: FieldInfo[]
  objects: ObjectInfo[]
  onChange: (next: RecordDraft) => void
}

function Column({ column, record, fields, objects, onChange }: ColumnProps): ReactNode {
  const [open, setOpen] = useState(false)
  const name = fieldOf(record, column.name)
  const field = fields.find((each) => each.name === name)
  const expression = record.fields[name]
  const free = fields.filter((each) => each.name === name || record.fields[each.name] === undefined)
  const choose = (next: string): void => {
    const target = fields.find((each) => each.name === next)
    const title = target?.to === undefined || target.to === '' ? '' : objects.find((each) => each.name === target.to)?.title ?? ''
    onChange(sendTo(record, column.name, next, title))
  }
  const lookup = expression?.['lookup']
  const elsewhere = JSON.stringify(record.rest).includes(JSON.stringify(column.name)) // in its history or conditions
  const missing = typeof lookup === 'object' && lookup !== null && !Array.isArray(lookup) ? String(lookup['missing'] ?? 'refuse') : ''
  return (
    <li className={css['column']}>
      <div className={css['name']}>
        <strong>{column.name}</strong>
        <span className="dim">{column.samples.slice(0, 3).join(' · ') || 'empty in the first rows'}</span>
      </div>
      <NativeSelect size="sm" aria-label={`${column.name} goes into`} value={name} data={[{ value: '', label: elsewhere ? '— only beside the form (YAML) —' : '— left out —' }, ...free.map((each) => ({ value: each.name, label: each.required ? `${each.label} (required)` : each.label }))]} onChange={(event) => choose(event.currentTarget.value)} />
      <Button size="compact-sm" variant="subtle" disabled={field === undefined} aria-expanded={open} aria-label={`Details of ${column.name}`} onClick={() => setOpen(!open)}>Details</Button>
      {open && field !== undefined && (
        <div className={css['details']}>
          <Pairs key={name} column={column.name} value={expression?.['values']} onChange={(pairs) => onChange(change(record, name, 'values', pairs))} />
          <TextInput size="sm" label={`Where ${column.name} is empty`} placeholder="nothing" value={String(expression?.['default'] ?? '')} onChange={(event) => onChange(change(record, name, 'default', event.currentTarget.value))} />
          {(field.kind === 'date' || field.kind === 'instant') && <TextInput size="sm" label={`How ${column.name} writes dates`} placeholder="YYYY-MM-DD" value={String(expression?.['format'] ?? '')} onChange={(event) => onChange(change(record, name, 'format', event.currentTarget.value))} />}
          {missing !== '' && (
            <NativeSelect size="sm" label={`Where there is no such ${field.label.toLowerCase()}`} value={missing} data={[{ value: 'refuse', label: 'Refuse the row' }, { value: 'empty', label: 'Leave it empty, and count' }, { value: 'create', label: 'Make it' }, { value: 'later', label: 'It comes further down in the file' }]}
              onChange={(event) => onChange(change(record, name, 'lookup', { ...(lookup as object), missing: event.currentTarget.value }))} />
          )}
        </div>
      )}
    </li>
  )
}

/** Pairs keeps what is typed: a line that is half written is no pair yet. */
function Pairs({ column, value, onChange }: { column: string; value: Parameters<typeof writePairs>[0]; onChange: (pairs: Record<string, string>) => void }): ReactNode {
  const [text, setText] = useState(() => writePairs(value))
  return (
    <Textarea size="sm" autosize minRows={2} maxRows={8} label={`Translate values of ${column}`} description="One a line: as it stands = as it is meant" value={text} onChange={(event) => {
      setText(event.currentTarget.value)
      onChange(readPairs(event.currentTarget.value))
    }} />
  )
}

function Constants({ record, fields, onChange }: { record: RecordDraft; fields: FieldInfo[]; onChange: (next: RecordDraft) => void }): ReactNode {
  const list = constants(record)
  const free = fields.filter((each) => record.fields[each.name] === undefined && each.kind !== 'reference')
  return (
    <div className={css['constants']}>
      {list.map(([name, value]) => {
        const field = fields.find((each) => each.name === name)
        const label = field?.label ?? name
        return (
          <div key={name} className={css['constant']}>
            {field !== undefined && field.options.length > 0
              ? <NativeSelect size="sm" label={`${label} in every row`} value={value} data={field.options.filter((each) => !each.retired).map((each) => ({ value: each.value, label: each.label }))} onChange={(event) => onChange(change(record, name, 'value', event.currentTarget.value))} />
              : <TextInput size="sm" label={`${label} in every row`} value={value} onChange={(event) => onChange({ ...record, fields: { ...record.fields, [name]: { ...record.fields[name], value: event.currentTarget.value } } })} />}
            <Button size="compact-sm" variant="subtle" aria-label={`No ${label} in every row`} onClick={() => {
              const { [name]: _, ...others } = record.fields
              onChange({ ...record, fields: others })
            }}>Remove</Button>
          </div>
        )
      })}
      <NativeSelect size="sm" aria-label="Add the same value to every row" value="" data={[{ value: '', label: 'Add the same value to every row…' }, ...free.map((each) => ({ value: each.name, label: each.label }))]} onChange={(event) => {
        const field = free.find((each) => each.name === event.currentTarget.value)
        if (field !== undefined) onChange({ ...record, fields: { ...record.fields, [field.name]: { value: field.options[0]?.value ?? '' } } })
      }} />
    </div>
  )
}
