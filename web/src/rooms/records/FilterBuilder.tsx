import { ActionIcon, Button, NativeSelect, SegmentedControl } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { ObjectInfo } from '../../api/objects'
import { type Predicate, takesNothing } from '../../api/predicate'
import { useFormat } from '../../app/session'
import { instantToZoned } from '../../format/format'
import { Dialog } from '../../kit/Dialog'
import { FieldInput } from '../record/FieldInput'
import { describe, operatorWord } from './describe'
import {
  type DraftCondition, type DraftGroup, type DraftItem, draftOf, filterField, filterFields, newCondition, newGroup, operatorsFor, predicateOf, replaced, valueField,
} from './draft'
import css from './FilterBuilder.module.css'

interface Props {
  object: ObjectInfo
  objects: ObjectInfo[]
  filter: Predicate | null
  /** the title of a referred record, if it is known yet */
  title: (id: string) => string | undefined
  onApply: (filter: Predicate | null) => void
  onClose: () => void
  /** said over it and on its button, where it does not filter a list */
  heading?: string
  apply?: string
}

/** How deep groups may stand in groups on screen; links may bring more. */
const deepest = 2

/** FilterBuilder changes the whole filter at once: conditions and groups, of which all or any must hold. */
export function FilterBuilder({ object, objects, filter, title, onApply, onClose, heading, apply }: Props): ReactNode {
  const format = useFormat()
  const { currency, zone } = format.place
  const context = { object, currency, zone, toWall: (at: string) => instantToZoned(zone, new Date(at)) }
  const [draft, setDraft] = useState<DraftGroup>(() => {
    const opened = draftOf(filter, context)
    return opened.items.length === 0 ? { ...opened, items: [newCondition(object)] } : opened
  })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const read = predicateOf(draft, context)
    if (!read.ok) return setErrors(read.errors)
    onApply(read.predicate)
    onClose()
  }
  const change = (key: string, by: DraftItem | null): void => setDraft((old) => (key === old.key && by?.kind === 'group' ? by : replaced(old, key, by)))
  const words = (predicate: Predicate): string => describe(predicate, object, { objects, format, title })
  return (
    <Dialog title={heading ?? `Filter ${object.plural.toLowerCase()}`} onClose={onClose} width={720}>
      <form onSubmit={submit} className={css['form']}>
        <Group group={draft} depth={0} object={object} errors={errors} words={words} onChange={change} />
        <div className={css['buttons']}>
          <Button type="submit" size="sm">{apply ?? 'Apply filter'}</Button>
          <Button size="sm" variant="default" onClick={onClose}>Cancel</Button>
          {filter !== null && <Button size="sm" variant="subtle" onClick={() => { onApply(null); onClose() }}>Clear all</Button>}
        </div>
      </form>
    </Dialog>
  )
}

interface GroupProps {
  group: DraftGroup
  depth: number
  object: ObjectInfo
  errors: Record<string, string>
  words: (predicate: Predicate) => string
  onChange: (key: string, by: DraftItem | null) => void
}

function Group({ group, depth, object, errors, words, onChange }: GroupProps): ReactNode {
  const add = (item: DraftItem): void => onChange(group.key, { ...group, items: [...group.items, item] })
  return (
    <fieldset className={css['group']} data-inner={depth > 0 || undefined}>
      <legend className="sr">{depth === 0 ? 'The filter' : 'A group of conditions'}</legend>
      <div className={css['head']}>
        <SegmentedControl size="xs" aria-label="How the conditions hold" value={group.join} onChange={(join) => onChange(group.key, { ...group, join: join === 'or' ? 'or' : 'and' })}
          data={[{ value: 'and', label: 'All of these' }, { value: 'or', label: 'Any of these' }]} />
        {depth > 0 && <ActionIcon variant="subtle" color="gray" size={28} aria-label="Remove this group" onClick={() => onChange(group.key, null)}><IconX size={16} /></ActionIcon>}
      </div>
      {group.items.map((item) => {
        if (item.kind === 'group') return <Group key={item.key} group={item} depth={depth + 1} object={object} errors={errors} words={words} onChange={onChange} />
        if (item.kind === 'condition') return <ConditionRow key={item.key} condition={item} object={object} error={errors[item.key]} onChange={(by) => onChange(item.key, by)} />
        return (
          <div key={item.key} className={css['fixed']}>
            <span>{words(item.predicate)}</span>
            <ActionIcon variant="subtle" color="gray" size={28} aria-label={`Remove condition: ${words(item.predicate)}`} onClick={() => onChange(item.key, null)}><IconX size={16} /></ActionIcon>
          </div>
        )
      })}
      <div className={css['adds']}>
        <Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => add(newCondition(object))}>Add condition</Button>
        {depth < deepest && <Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => add(newGroup(object, group.join === 'and' ? 'or' : 'and'))}>Add group</Button>}
      </div>
    </fieldset>
  )
}

function ConditionRow({ condition, object, error, onChange }: { condition: DraftCondition; object: ObjectInfo; error: string | undefined; onChange: (by: DraftCondition | null) => void }): ReactNode {
  const { place } = useFormat()
  const field = filterField(object, condition.field)
  const operators = field === undefined ? [] : operatorsFor(field)
  return (
    <div className={css['row']}>
      <NativeSelect size="xs" aria-label="Field" value={condition.field} data={filterFields(object).map((each) => ({ value: each.name, label: each.label }))} onChange={(event) => {
        const next = filterField(object, event.currentTarget.value)
        if (next === undefined) return
        const allowed = operatorsFor(next)
        onChange({ ...condition, field: next.name, op: allowed.includes(condition.op) ? condition.op : allowed[0] ?? 'not_empty', text: '' })
      }} />
      <NativeSelect size="xs" aria-label="Is" value={condition.op} data={operators.map((value) => ({ value, label: operatorWord(value, field) }))}
        onChange={(event) => {
          const op = operators.find((each) => each === event.currentTarget.value)
          if (op !== undefined) onChange({ ...condition, op })
        }} />
      <div className={css['value']}>
        {field !== undefined && !takesNothing(condition.op) && (
          <FieldInput size="xs" field={valueField(field, condition.op)} hideLabel label={`Value${field.kind === 'money' ? ` in ${place.currency}` : ''}`}
            text={condition.text} onText={(text) => onChange({ ...condition, text })} error={error} />
        )}
      </div>
      <ActionIcon variant="subtle" color="gray" size={28} aria-label={`Remove condition on ${field?.label ?? condition.field}`} onClick={() => onChange(null)}><IconX size={16} /></ActionIcon>
    </div>
  )
}
