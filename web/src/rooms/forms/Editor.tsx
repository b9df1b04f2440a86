import { Button, Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { newKey } from '../../api/client'
import { explain } from '../../api/problem'
import { createRecord, patchRecord, type Rec } from '../../api/records'
import { useObjects } from '../../app/queries'
import { Card } from '../../kit/Card'
import { tell } from '../../kit/tell'
import shared from '../imports/Page.module.css'
import { draftOf, embedOf, fieldsOf, type FormDraft, isAskable, type Question } from './contract'

interface Props {
  /** undefined: a new form */
  form: Rec | undefined
  writable: boolean
  onSaved: (form: Rec) => void
}

/** Editor changes a form: what it asks, where it may stand, and what is said after it. */
export function Editor({ form, writable, onSaved }: Props): ReactNode {
  const client = useQueryClient()
  const lead = useObjects().data?.find((object) => object.name === 'lead')
  const [draft, setDraft] = useState<FormDraft>(() => draftOf(form))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const key = useRef(newKey())
  const set = (part: Partial<FormDraft>): void => setDraft({ ...draft, ...part })
  const question = (i: number, part: Partial<Question>): void => set({ questions: draft.questions.map((each, n) => (n === i ? { ...each, ...part } : each)) })
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setErrors({})
    try {
      const fields = fieldsOf(draft)
      const saved = form === undefined ? await createRecord('form', fields, { happenedAt: null }, key.current) : await patchRecord(form, fields, { happenedAt: null })
      key.current = newKey()
      await client.invalidateQueries({ queryKey: ['records', 'form'] })
      tell(form === undefined ? 'The form is at its address' : 'The form is changed')
      onSaved(saved)
    } catch (problem) {
      const { message, remedy, fields } = told(problem)
      setErrors(Object.keys(fields).length > 0 ? fields : { '': [message, remedy].filter((each) => each !== null).join(' ') })
    } finally {
      setBusy(false)
    }
  }
  const site = window.location.origin
  const embed = embedOf(site, draft.slug, draft.name)
  const text = (label: string, name: keyof FormDraft & ('name' | 'slug' | 'source' | 'redirect'), field: string, description?: string): ReactNode => (
    <TextInput size="xs" label={label} description={description} value={draft[name]} error={errors[field]} disabled={!writable} onChange={(event) => set({ [name]: event.currentTarget.value })} />
  )
  return (
    <Card title={form === undefined ? 'New form' : String(form.fields['name'])} aside={form === undefined ? undefined : <a href={`/f/${draft.slug}`} target="_blank" rel="noreferrer">Open its page</a>}>
      <form className={shared['form']} onSubmit={(event) => void save(event)} noValidate>
        {text('Name', 'name', 'name')}
        {text('Address part', 'slug', 'slug', `${site}/f/…`)}
        <Textarea size="xs" label="Introduction" autosize minRows={1} value={draft.intro} error={errors['intro']} disabled={!writable} onChange={(event) => set({ intro: event.currentTarget.value })} />
        <div className={shared['scroll']} role="group" aria-label="Questions" tabIndex={0}>
          <table className={shared['table']}>
            <thead><tr><th scope="col">Question</th><th scope="col">Said as</th><th scope="col">Required</th><th scope="col">Only later</th>{writable && <th scope="col"><span className="sr">Actions</span></th>}</tr></thead>
            <tbody>
              {draft.questions.map((each, i) => (
                <tr key={i}>
                  <td><NativeSelect size="xs" aria-label={`Question ${i + 1}`} disabled={!writable} value={each.field} data={(lead?.fields ?? []).filter(isAskable).map(({ name, label }) => ({ value: name, label }))} onChange={(event) => question(i, { field: event.currentTarget.value })} /></td>
                  <td><TextInput size="xs" aria-label={`Label of question ${i + 1}`} disabled={!writable} value={each.label} placeholder={lead?.fields.find((field) => field.name === each.field)?.label ?? ''} onChange={(event) => question(i, { label: event.currentTarget.value })} /></td>
                  <td><Checkbox size="xs" aria-label={`Question ${i + 1} is required`} disabled={!writable} checked={each.required} onChange={(event) => question(i, { required: event.currentTarget.checked, progressive: false })} /></td>
                  <td><Checkbox size="xs" aria-label={`Question ${i + 1} is asked at a later visit`} disabled={!writable} checked={each.progressive} onChange={(event) => question(i, { progressive: event.currentTarget.checked, required: false })} /></td>
                  {writable && <td><Button size="compact-xs" variant="default" onClick={() => set({ questions: draft.questions.filter((_, n) => n !== i) })}>Leave out</Button></td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {errors['fields'] !== undefined && <p role="alert" className={shared['error']}>{errors['fields']}</p>}
        {writable && <div><Button size="xs" variant="default" onClick={() => set({ questions: [...draft.questions, { field: 'company', label: '', required: false, progressive: false }] })}>Ask one more</Button></div>}
        <Textarea size="xs" label="Said after it was sent" autosize minRows={1} value={draft.thanks} error={errors['thanks']} disabled={!writable} onChange={(event) => set({ thanks: event.currentTarget.value })} />
        {text('Or goes on to', 'redirect', 'redirect', 'A whole web address')}
        {text('Source of its leads', 'source', 'source')}
        <Textarea size="xs" label="Sites that may show it" description="https://www.example.com, one a line" autosize minRows={1} value={draft.origins} error={errors['allowed_origins']} disabled={!writable} onChange={(event) => set({ origins: event.currentTarget.value })} />
        <Checkbox size="xs" label="A lead is made only after the address is confirmed" description="The message is kept for administrators to pass on: sending mail is not connected" checked={draft.doubleOptIn} disabled={!writable} onChange={(event) => set({ doubleOptIn: event.currentTarget.checked })} />
        <Checkbox size="xs" label="Takes submissions" checked={draft.active} disabled={!writable} onChange={(event) => set({ active: event.currentTarget.checked })} />
        {errors[''] !== undefined && <p role="alert" className={shared['error']}>{errors['']}</p>}
        {form !== undefined && <TextInput size="xs" label="To show it on one of these sites" readOnly value={embed} onFocus={(event) => event.currentTarget.select()} />}
        {writable && <div className={shared['buttons']}><Button size="xs" type="submit" loading={busy}>{form === undefined ? 'Make the form' : 'Save'}</Button></div>}
      </form>
    </Card>
  )
}

/** told puts each fault beside its field. */
function told(problem: unknown): { message: string; remedy: string | null; fields: Record<string, string> } {
  const { message, remedy } = explain(problem)
  const fields: Record<string, string> = {}
  if (typeof problem === 'object' && problem !== null) {
    const field = 'field' in problem && typeof problem.field === 'string' ? problem.field : ''
    if (field !== '') fields[field] = [message, remedy].filter((each) => each !== null).join(' ')
    const details: unknown = 'details' in problem ? problem.details : []
    if (Array.isArray(details)) {
      for (const each of details as { field?: unknown; message?: unknown; remedy?: unknown }[]) { // details of a Problem
        if (typeof each.field === 'string' && each.field !== '') fields[each.field] = [each.message, each.remedy].filter((part) => typeof part === 'string').join('. ')
      }
    }
  }
  return { message, remedy, fields }
}
