import { Button, MultiSelect, NativeSelect, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, lazy, type ReactNode, Suspense, useState } from 'react'
import type { Json } from '../../api/decode'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain, Problem, sentence } from '../../api/problem'
import { type Predicate, readPredicate } from '../../api/predicate'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import { useWriting } from '../record/writing'
import { describe, referredIds } from '../records/describe'
import { useTitles } from '../records/queries'
import { isEditable, parseInput } from '../records/value'
import css from './Page.module.css'

const FilterBuilder = lazy(async () => ({ default: (await import('../records/FilterBuilder')).FilterBuilder }))

type Which = 'entry_criteria' | 'exit_criteria'
const criteria: { name: Which; help: 'entry_help' | 'exit_help'; label: string; title: string }[] = [
  { name: 'entry_criteria', help: 'entry_help', label: 'To come in', title: 'What must be true to come in' },
  { name: 'exit_criteria', help: 'exit_help', label: 'To go on', title: 'What must be true to go on' },
]

const simple = ['name', 'rank', 'probability', 'age_limit_days']

function readNames(text: Json | undefined): string[] {
  if (typeof text !== 'string' || text === '') return []
  try {
    const names: unknown = JSON.parse(text)
    return Array.isArray(names) ? names.filter((each): each is string => typeof each === 'string') : []
  } catch {
    return []
  }
}

/** StageForm changes what a stage asks for. Deals that stand in it stay; the page then counts those that break it. */
export function StageForm({ record, deal, stage, objects, onClose }: { record: Rec; deal: ObjectInfo; stage: ObjectInfo; objects: ObjectInfo[]; onClose: () => void }): ReactNode {
  const format = useFormat()
  const writing = useWriting()
  const client = useQueryClient()
  const text = (name: string): string => {
    const value = record.fields[name]
    return value === null || value === undefined ? '' : String(value)
  }
  const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries([...simple, 'forecast_category', 'override_role', 'entry_help', 'exit_help'].map((name) => [name, text(name)])))
  const [asks, setAsks] = useState<Record<Which, Predicate | null>>({ entry_criteria: readPredicate(record.fields['entry_criteria']), exit_criteria: readPredicate(record.fields['exit_criteria']) })
  const [required, setRequired] = useState(readNames(record.fields['required_fields']))
  const [building, setBuilding] = useState<Which>()
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const title = useTitles(Object.values(asks).flatMap((each) => (each === null ? [] : referredIds(each))), objects)
  const set = (name: string) => (event: { currentTarget: { value: string } }): void => setTexts({ ...texts, [name]: event.currentTarget.value })

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const fields: Record<string, Json> = {}
    const wrong: Record<string, string> = {}
    for (const [name, typed] of Object.entries(texts)) {
      const field = fieldOf(stage, name)
      if (field === undefined || typed === text(name)) continue
      const parsed = parseInput(field, typed, format.place)
      if (parsed.ok) fields[name] = parsed.value
      else wrong[name] = parsed.message
    }
    for (const { name } of criteria) {
      const before = readPredicate(record.fields[name])
      if (JSON.stringify(before) !== JSON.stringify(asks[name])) fields[name] = asks[name] === null ? null : JSON.stringify(asks[name])
    }
    if (JSON.stringify(required) !== JSON.stringify(readNames(record.fields['required_fields']))) fields['required_fields'] = required.length === 0 ? null : JSON.stringify(required)
    setErrors(wrong)
    if (Object.keys(wrong).length > 0) return
    if (Object.keys(fields).length === 0) return onClose()
    setBusy(true)
    setFailure(undefined)
    try {
      const saved = await writing.save(record, fields, null)
      if (saved.kind === 'conflict') return setFailure('Somebody changed the same of this stage meanwhile. Close this, look at what they wrote, and change it again.')
      await client.invalidateQueries({ queryKey: ['pipeline'] })
      tell(`${String(record.fields['name'] ?? 'The stage')} is changed. It is asked from now on.`)
      onClose()
    } catch (problem) {
      if (problem instanceof Problem) setErrors(Object.fromEntries(Object.entries(problem.fieldErrors()).map(([name, message]) => [name, sentence(message)])))
      setFailure(explain(problem).message)
    } finally {
      setBusy(false)
    }
  }
  const options = (name: string): { value: string; label: string }[] => [{ value: '', label: '—' }, ...(fieldOf(stage, name)?.options ?? [])]
  const words = { objects, format, title }
  // One modal at a time: the builder takes the form's place and gives it back with what was typed.
  if (building !== undefined) {
    return (
      <Suspense>
        <FilterBuilder object={deal} objects={objects} filter={asks[building]} title={title} heading={criteria.find((each) => each.name === building)?.title ?? ''} apply="Use this"
          onApply={(filter) => setAsks({ ...asks, [building]: filter })} onClose={() => setBuilding(undefined)} />
      </Suspense>
    )
  }
  return (
    <Dialog title={`Edit ${String(record.fields['name'] ?? 'stage')}`} onClose={onClose} width={640}>
      <form onSubmit={(event) => void submit(event)} className={css['form']} noValidate>
        <div className={css['pair']}>
          {simple.map((name) => {
            const field = fieldOf(stage, name)
            return field === undefined ? null : <TextInput key={name} size="sm" label={field.label} value={texts[name] ?? ''} onChange={set(name)} error={errors[name]} inputMode={field.kind === 'number' ? 'decimal' : 'text'} />
          })}
          <NativeSelect size="sm" label="Forecast category" value={texts['forecast_category'] ?? ''} data={options('forecast_category')} onChange={set('forecast_category')} />
          <NativeSelect size="sm" label="May be passed over by" value={texts['override_role'] ?? ''} data={options('override_role')} onChange={set('override_role')} />
        </div>
        {criteria.map(({ name, help, label }) => {
          const predicate = asks[name]
          return (
            <div key={name} className={css['criteria']} role="group" aria-label={label}>
              <div className={css['criteriaHead']}>
                <span>{label}</span>
                <Button size="compact-sm" variant="default" onClick={() => setBuilding(name)} aria-label={`Edit what must be true ${label.toLowerCase()}`}>{predicate === null ? 'Add criteria' : 'Edit criteria'}</Button>
              </div>
              <p className={css['words']}>{predicate === null ? 'Nothing is asked.' : sentence(describe(predicate, deal, words))}</p>
              {errors[name] !== undefined && <p role="alert" className={css['error']}>{errors[name]}</p>}
              <TextInput size="sm" label="Said to people" value={texts[help] ?? ''} onChange={set(help)} error={errors[help]} maxLength={1000} />
            </div>
          )
        })}
        <MultiSelect size="sm" label="Required from here on" value={required} onChange={setRequired} searchable hidePickedOptions error={errors['required_fields']} comboboxProps={{ withinPortal: false }}
          data={deal.fields.filter((field) => isEditable(field) && !field.required && field.name !== 'lost_reason').map((field) => ({ value: field.name, label: field.label }))} />
        {failure !== undefined && <p role="alert" className={css['error']}>{failure}</p>}
        <div className={css['buttons']}><Button type="submit" loading={busy}>Save stage</Button><Button variant="default" onClick={onClose}>Cancel</Button></div>
      </form>
    </Dialog>
  )
}
