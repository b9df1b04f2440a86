import { ActionIcon, Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import type { Json } from '../../api/decode'
import { actOnJob, fetchJob, isAtWork, type Job, jobKey, type Over, startBulk } from '../../api/jobs'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain, Problem, sentence } from '../../api/problem'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import { FieldInput } from '../record/FieldInput'
import css from './BulkBar.module.css'
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
      setJob(await startBulk(object.name, over, values, dryRun))
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
  if (job !== null && !job.dryRun) return <Progress first={job} words={words} onClose={onClose} />
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
        {job !== null && <Watched first={job} />}
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

function useJob(first: Job): Job {
  return useQuery({ queryKey: jobKey(first.id), queryFn: ({ signal }) => fetchJob(first.id, signal), initialData: first, staleTime: 0, refetchInterval: ({ state }) => (state.data === undefined || isAtWork(state.data) ? 500 : false) }).data
}

/** Watched tells what a check found. */
function Watched({ first }: { first: Job }): ReactNode {
  return <Facts job={useJob(first)} />
}

function Progress({ first, words, onClose }: { first: Job; words: string; onClose: (written: boolean) => void }): ReactNode {
  const client = useQueryClient()
  const job = useJob(first)
  const [failure, setFailure] = useState<string>()
  const atWork = isAtWork(job)
  useEffect(() => {
    if (!atWork) void client.invalidateQueries({ queryKey: ['records'] })
  }, [atWork, client])
  const act = (action: 'cancel' | 'undo' | 'resume'): void => void actOnJob(job.id, action).then((next) => client.setQueryData(jobKey(job.id), next), (problem: unknown) => setFailure(explain(problem).message))
  const said: Record<Job['state'], string> = {
    waiting: 'Waiting to begin', running: 'Changing', done: 'Done', cancelled: 'Stopped', failed: 'It could not go on', undoing: 'Taking back', undone: 'Taken back',
  }
  return (
    <Dialog title={`Edit ${words}`} onClose={() => {
      if (atWork) tell('The edit goes on at the server')
      onClose(true)
    }} width={480}>
      <div className={css['form']}>
        <p role="status"><strong>{said[job.state]}</strong>{job.error !== '' && <>: {sentence(job.error)}</>}</p>
        {atWork && <div className={css['bar8']} role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={job.total ?? undefined} aria-valuenow={job.total === null ? undefined : job.done}><div style={{ width: `${job.total === null || job.total === 0 ? 0 : (100 * job.done) / job.total}%` }} /></div>}
        <Facts job={job} />
        {failure !== undefined && <p role="alert" className="bad">{failure}</p>}
        <div className={css['buttons']}>
          {job.actions.includes('cancel') && <Button variant="default" onClick={() => act('cancel')}>Stop</Button>}
          {job.actions.includes('resume') && <Button variant="default" onClick={() => act('resume')}>Go on</Button>}
          {job.actions.includes('undo') && <Button variant="default" onClick={() => act('undo')}>Undo all</Button>}
          <Button onClick={() => onClose(true)}>Close</Button>
        </div>
      </div>
    </Dialog>
  )
}

function Facts({ job }: { job: Job }): ReactNode {
  const format = useFormat()
  const facts: [string, number | null][] = [[job.dryRun ? 'Would change' : 'Changed', job.changed], ['Already so', job.unchanged], ['Refused', job.refused], ['Taken back', job.undone === 0 ? null : job.undone], ['Left, since others changed them', job.kept === 0 ? null : job.kept]]
  return (
    <div role="status">
      <dl className={css['facts']}>
        {facts.map(([label, value]) => value !== null && <div key={label} style={{ display: 'contents' }}><dt>{label}</dt><dd className="num">{format.whole(value)}{isAtWork(job) ? ' so far' : ''}</dd></div>)}
      </dl>
      {job.refusedUrl !== '' && <a href={job.refusedUrl} download>Which were refused, and why (CSV)</a>}
    </div>
  )
}
