import { ActionIcon, Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import { type Job, type Over, startBulk } from '../../api/jobs'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain, Problem, sentence } from '../../api/problem'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { FieldInput } from '../record/FieldInput'
import css from './BulkBar.module.css'
import { JobChecked, JobProgress } from './JobProgress'
import { isEditable, parseInput } from './value'

interface Props {
  object: ObjectInfo
  over: Over
  /** "1,204 deals" */
  words: string
  onClose: (written: boolean) => void
}

interface Line {
  field: string
  text: string
  /** the field is emptied */
  blank: boolean
}

/** BulkEdit sets fields of many records. The server does it as a job that may be watched, stopped and taken back; a check first tells what it would do. */
export function BulkEdit({ object, over, words, onClose }: Props): ReactNode {
  const { place } = useFormat()
  const fields = object.fields.filter((field) => isEditable(field) && field.name !== object.title)
  const [lines, setLines] = useState<Line[]>([{ field: fields[0]?.name ?? '', text: '', blank: false }])
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<string>()
  const [job, setJob] = useState<Job | null>(null)
  const [busy, setBusy] = useState(false)

  const read = (): Record<string, Json> | null => {
    const values: Record<string, Json> = {}
    const wrong: Record<string, string> = {}
    for (const line of lines) {
      const field = fieldOf(object, line.field)
      if (field === undefined) continue
      const parsed = parseInput(field, line.text, place)
      if (line.blank) values[field.name] = null
      else if (!parsed.ok) wrong[field.name] = parsed.message
      else if (parsed.value === null) wrong[field.name] = 'Give a value, or choose to empty the field.'
      else values[field.name] = parsed.value
    }
    setErrors(wrong)
    return Object.keys(wrong).length > 0 ? null : values
  }
  const start = async (dryRun: boolean): Promise<void> => {
    const values = read()
    if (values === null) return
    setBusy(true)
    setFailure(undefined)
    try {
      setJob(await startBulk(object.name, over, 'update', values, dryRun))
    } catch (problem) {
      const byField = problem instanceof Problem ? problem.fieldErrors() : {}
      const known = Object.fromEntries(Object.entries(byField).map(([name, message]) => [name.replace(/^fields\./, ''), sentence(message)]).filter(([name]) => lines.some((line) => line.field === name)))
      setErrors(known)
      if (Object.keys(known).length === 0) setFailure(explain(problem).message)
    } finally {
      setBusy(false)
    }
  }
  const set = (i: number, next: Partial<Line>): void => setLines(lines.map((line, j) => (i === j ? { ...line, ...next } : line)))
  const free = fields.filter((field) => !lines.some((line) => line.field === field.name))
  if (job !== null && !job.dryRun) return <JobProgress first={job} title={`Edit ${words}`} onClose={() => onClose(true)} />
  return (
    <Dialog title={`Edit ${words}`} onClose={() => onClose(false)} width={560}>
      <form className={css['form']} onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void start(false)
      }}>
        {lines.map((line, i) => {
          const field = fieldOf(object, line.field)
          return (
            <div key={line.field}>
              <div className={css['field']}>
                <NativeSelect size="sm" label="Field" value={line.field} data={fields.filter((each) => each.name === line.field || free.includes(each)).map((each) => ({ value: each.name, label: each.label }))}
                  onChange={(event) => set(i, { field: event.currentTarget.value, text: '', blank: false })} />
                {field !== undefined && !line.blank ? <FieldInput size="sm" field={field} label={`New value${field.kind === 'money' ? ` in ${place.currency}` : ''}`} text={line.text} onText={(text) => set(i, { text })} error={errors[line.field]} /> : <span className="dim">is emptied</span>}
                <ActionIcon variant="subtle" color="gray" size={32} aria-label={`Leave ${field?.label ?? line.field} as it is`} disabled={lines.length === 1} onClick={() => setLines(lines.filter((_, j) => j !== i))}><IconX size={16} /></ActionIcon>
              </div>
              {field !== undefined && !field.required && <Checkbox size="xs" mt={6} label="Empty this field" checked={line.blank} onChange={(event) => set(i, { blank: event.currentTarget.checked })} />}
            </div>
          )
        })}
        {free[0] !== undefined && <div><Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => setLines([...lines, { field: free[0]?.name ?? '', text: '', blank: false }])}>Another field</Button></div>}
        {job !== null && <JobChecked first={job} />}
        {failure !== undefined && <p role="alert" className="bad">{failure}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={busy}>Change {words}</Button>
          <Button variant="default" disabled={busy} onClick={() => void start(true)}>Check first</Button>
          <Button variant="subtle" onClick={() => onClose(false)}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}
