import { Button, Textarea } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import type { ObjectInfo } from '../../api/objects'
import { explain, type ProblemDetail, sentence } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useFormat, useSession } from '../../app/session'
import { instantToZoned } from '../../format/format'
import { Dialog } from '../../kit/Dialog'
import { FieldInput } from '../record/FieldInput'
import { inputText, isEditable, parseInput } from '../records/value'
import css from './Page.module.css'
import { needsOf, type StageRef } from './useDealMove'

interface Props {
  object: ObjectInfo
  record: Rec
  to: StageRef
  /** what the stage asks for and the deal does not have */
  needs: ProblemDetail[]
  onMove: (values: Record<string, Json>, override?: string) => Promise<void>
  onClose: () => void
}

/** MoveDialog asks for what a stage asks for, and for nothing else. An administrator may pass over it with a reason, which is kept. */
export function MoveDialog({ object, record, to, needs: given, onMove, onClose }: Props): ReactNode {
  const { place } = useFormat()
  const { me } = useSession()
  const [needs, setNeeds] = useState(given)
  const [texts, setTexts] = useState<Record<string, string>>({})
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [passing, setPassing] = useState(false)
  const [reason, setReason] = useState('')
  const fields = object.fields.filter((field) => isEditable(field) && needs.some((need) => need.field === field.name))
  const others = needs.filter((need) => !fields.some((field) => field.name === need.field))
  const textOf = (name: string): string => {
    const field = fields.find((each) => each.name === name)
    return texts[name] ?? (field === undefined ? '' : inputText(field, record.fields[name], (at) => instantToZoned(place.zone, new Date(at))))
  }
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const values: Record<string, Json> = {}
    const wrong: Record<string, string> = {}
    for (const field of fields) {
      const parsed = parseInput(field, textOf(field.name), place)
      if (!parsed.ok) wrong[field.name] = parsed.message
      else if (parsed.value !== null) values[field.name] = parsed.value
      else if (!passing || field.name === 'lost_reason') wrong[field.name] = `${field.label} is needed here.`
    }
    if (passing && reason.trim().length < 3) wrong['override'] = 'Say why in a sentence.'
    setErrors(wrong)
    if (Object.keys(wrong).length > 0) return
    setBusy(true)
    setFailure(undefined)
    try {
      await onMove(values, passing ? reason.trim() : undefined)
    } catch (problem) {
      const more = needsOf(problem)
      if (more === null) setFailure(explain(problem).message)
      else {
        setNeeds([...needs.filter((need) => need.field !== null && values[need.field] !== undefined && !more.some((each) => each.field === need.field)), ...more])
        setErrors(Object.fromEntries(more.flatMap((need) => (need.field === null ? [] : [[need.field, sentence(need.message)]]))))
      }
    } finally {
      setBusy(false)
    }
  }
  const words = (name: string): string => needs.filter((need) => need.field === name && need.message !== '').map((need) => [sentence(need.message), need.remedy].filter((each) => each !== undefined).join(' ')).join(' ')
  return (
    <Dialog title={`Move to ${to.name}`} onClose={onClose} width={440}>
      <form onSubmit={(event) => void submit(event)} className={css['ask']} noValidate>
        {to.status !== 'lost' && <p className={css['asks']}>The deal lacks what this step asks for.</p>}
        {others.length > 0 && <ul className={css['others']}>{others.map((need) => <li key={need.message}>{sentence(need.message)}{need.remedy !== undefined && ` ${need.remedy}`}</li>)}</ul>}
        {fields.map((field, i) => (
          <FieldInput key={field.name} field={field} size="sm" label={field.label} description={words(field.name) || field.help} text={textOf(field.name)}
            onText={(text) => setTexts({ ...texts, [field.name]: text })} error={errors[field.name]} autoFocus={i === 0} />
        ))}
        {passing && <Textarea size="sm" label="Why it is passed over" description="Kept on the deal’s timeline with your name." autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={errors['override']} autoFocus />}
        {failure !== undefined && <p role="alert" className={css['error']}>{failure}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={busy}>{passing ? 'Move without it' : `Move to ${to.name}`}</Button>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          {me.role === 'administrator' && !passing && to.status !== 'lost' && <Button variant="subtle" onClick={() => setPassing(true)}>Pass over with a reason</Button>}
        </div>
      </form>
    </Dialog>
  )
}
