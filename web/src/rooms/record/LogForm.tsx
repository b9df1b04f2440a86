import { Button, NativeSelect, SegmentedControl, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type KeyboardEvent, lazy, type ReactNode, type RefObject, Suspense, useRef, useState } from 'react'
import type { Json } from '../../api/decode'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { newKey } from '../../api/client'
import { type BatchCreate, createRecord, createTogether, type Rec } from '../../api/records'
import { useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { tell, tellFailure } from '../../kit/tell'
import { relatedKey, timelineKey } from './contract'
import css from './LogForm.module.css'

const Notes = lazy(async () => ({ default: (await import('./Notes')).Notes }))

interface Props {
  record: Rec
  activity: ObjectInfo
  /** the task object, where the reader may write tasks */
  task: ObjectInfo | undefined
  happenedAt: string | null
  subject: RefObject<HTMLInputElement | null>
}

const types = ['call', 'email', 'meeting', 'note']

/** LogForm writes down a call, mail, meeting or note, and the next task with it, in one go: L, type, Ctrl+Enter. */
export function LogForm({ record, activity, task, happenedAt, subject }: Props): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const [type, setType] = useState('call')
  const [text, setText] = useState('')
  const [outcome, setOutcome] = useState('')
  const [body, setBody] = useState('')
  const [next, setNext] = useState('')
  const [due, setDue] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const key = useRef(newKey())
  const options = fieldOf(activity, 'type')?.options.filter((option) => types.includes(option.value)) ?? []
  const outcomes = fieldOf(activity, 'outcome')?.options ?? []

  const save = async (): Promise<void> => {
    if (text.trim() === '') {
      setError('Say in a few words what it was about.')
      subject.current?.focus()
      return
    }
    const links = linksOf(record, activity)
    const fields: Record<string, Json> = {
      ...links, subject: text.trim(), type, done_at: happenedAt ?? new Date().toISOString(), owner: me.user.id,
      ...(outcome === '' ? {} : { outcome }), ...(body.trim() === '' ? {} : { body: body.trim() }),
    }
    setBusy(true)
    setError(undefined)
    try {
      if (next.trim() === '' || task === undefined) await createRecord('activity', fields, { happenedAt }, key.current)
      else {
        const promise: Record<string, Json> = { ...linksOf(record, task), subject: next.trim(), owner: me.user.id, ...(due === '' ? {} : { due_on: due }) }
        const both: BatchCreate[] = [{ object: 'activity', fields, happenedAt }, { object: 'task', fields: promise, happenedAt: null }]
        await createTogether(both)
      }
      key.current = newKey()
      setText('')
      setBody('')
      setOutcome('')
      setNext('')
      setDue('')
      tell(next.trim() === '' ? 'Logged' : 'Logged, and the task is set')
      for (const stale of [timelineKey(record.object, record.id), relatedKey(record.object, record.id), ['records']]) void client.invalidateQueries({ queryKey: stale })
      subject.current?.focus()
    } catch (problem) {
      tellFailure('It was not logged; what you wrote is still here', problem)
    } finally {
      setBusy(false)
    }
  }
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      void save()
    }
  }
  return (
    <Card title="Log what was done" aside="L to write, Ctrl+Enter to save">
      <form className={css['form']} onKeyDown={press} onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void save()
      }}>
        <SegmentedControl size="xs" aria-label="Type" value={type} onChange={setType} data={options.map(({ value, label }) => ({ value, label }))} />
        <TextInput ref={subject} data-log size="xs" aria-label="Subject" placeholder="What was it about?" value={text} error={error} onChange={(event) => setText(event.currentTarget.value)} />
        {text !== '' && (
          <>
            <div className={css['line']}>
              <NativeSelect size="xs" label="Outcome" value={outcome} data={[{ value: '', label: '—' }, ...outcomes.map(({ value, label }) => ({ value, label }))]} onChange={(event) => setOutcome(event.currentTarget.value)} />
              {task !== undefined && <TextInput size="xs" label="Next task" placeholder="optional" value={next} onChange={(event) => setNext(event.currentTarget.value)} className={css['grow']} />}
              {task !== undefined && <TextInput size="xs" type="date" label="Due" value={due} onChange={(event) => setDue(event.currentTarget.value)} />}
            </div>
            <Suspense><Notes value={body} onValue={setBody} /></Suspense>
          </>
        )}
        <div><Button size="xs" type="submit" loading={busy}>Log it</Button></div>
      </form>
    </Card>
  )
}

/** linksOf points a new activity or task at the record, and at the account that the record belongs to. */
export function linksOf(record: Rec, object: ObjectInfo): Record<string, Json> {
  const out: Record<string, Json> = {}
  for (const name of object.timelineOf) {
    const field = fieldOf(object, name)
    const value = field?.to === record.object ? record.id : record.fields[name]
    if (typeof value === 'string') out[name] = value
  }
  return out
}
