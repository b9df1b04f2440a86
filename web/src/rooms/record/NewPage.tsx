import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { newKey } from '../../api/client'
import type { Json } from '../../api/decode'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { explain, Problem, sentence } from '../../api/problem'
import { createRecord } from '../../api/records'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell } from '../../kit/tell'
import { listPath, recordPath } from '../records/names'
import { byRank, useSmallList } from '../records/queries'
import { isEditable, isNumeric, parseInput } from '../records/value'
import { amongOf } from './among'
import { BackDate } from './BackDate'
import { FieldInput } from './FieldInput'
import css from './NewPage.module.css'

export function NewDealPage(): ReactNode {
  return <NewPage name="deal" />
}

export function NewRecordPage(): ReactNode {
  const { object } = useParams({ from: '/app/records/$object/new' })
  return <NewPage key={object} name={object} />
}

function NewPage({ name }: { name: string }): ReactNode {
  const objects = useObjects()
  const object = objects.data?.find((each) => each.name === name)
  // A deal starts in the first pipeline that takes new deals, at its first stage; both can be changed.
  const isDeal = name === 'deal'
  const pipelines = useSmallList('pipeline', null, isDeal)
  const pipeline = pipelines.items.find((each) => each.fields['active'] !== false)
  const stages = useSmallList('stage', pipeline === undefined ? null : { field: 'pipeline', op: 'eq', value: pipeline.id }, pipeline !== undefined)
  const label = object?.label.toLowerCase() ?? 'record'
  const error = objects.error ?? pipelines.error ?? stages.error
  if (error !== null) return <><PageHead title={`New ${label}`} /><Failed what="The form" error={error} retry={() => void objects.refetch()} /></>
  if (objects.data !== undefined && object === undefined) return <><PageHead title="New record" /><Empty title={`There is no object “${name}”`} action={<Link to="/deals">Go to deals</Link>} /></>
  if (object === undefined || (isDeal && (pipelines.pending || stages.pending))) return <><PageHead title={`New ${label}`} /><Card title="Details"><Waiting rows={8} height={36} label="The form" /></Card></>
  return <Form object={object} start={pipeline === undefined ? {} : { pipeline: pipeline.id, stage: byRank(stages.items)[0]?.id ?? '' }} />
}

function Form({ object, start }: { object: ObjectInfo; start: Record<string, string> }): ReactNode {
  const navigate = useNavigate()
  const client = useQueryClient()
  const { me } = useSession()
  const { place } = useFormat()
  const fields = object.fields.filter(isEditable)
  const [texts, setTexts] = useState<Record<string, string>>(() => ({
    // What the server would put is shown, and can be changed.
    ...Object.fromEntries(fields.filter((field) => field.fallback !== '' && (field.kind === 'picklist' || field.kind === 'boolean')).map((field) => [field.name, field.fallback])),
    ...start, ...(fields.some((field) => field.name === 'owner') ? { owner: me.user.id } : {}),
  }))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [happenedAt, setHappenedAt] = useState<string | null>(null)
  const key = useRef(newKey())
  const label = object.label.toLowerCase()

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const { values, wrong } = readForm(fields, texts, place)
    setErrors(wrong)
    setFailure(undefined)
    if (Object.keys(wrong).length > 0) return
    setBusy(true)
    try {
      const record = await createRecord(object.name, values, { happenedAt }, key.current)
      for (const name of ['records', 'trees']) void client.invalidateQueries({ queryKey: [name] })
      tell(`${object.label} created`)
      await navigate({ to: recordPath(object.name, record.id), replace: true })
    } catch (problem) {
      key.current = newKey() // what is sent next is another thing
      const byField = problem instanceof Problem ? problem.fieldErrors() : {}
      const shown = Object.fromEntries(Object.entries(byField).filter(([name]) => fields.some((field) => field.name === name)).map(([name, message]) => [name, sentence(message)]))
      setErrors(shown)
      setFailure(Object.keys(shown).length > 0 ? undefined : explain(problem).message)
    } finally {
      setBusy(false)
    }
  }
  const input = (field: FieldInfo, first: boolean): ReactNode => (
    <FieldInput field={field} size="sm" autoFocus={first} text={texts[field.name] ?? ''} error={errors[field.name]} description={field.help}
      label={<>{field.label}{isNumeric(field) && field.kind === 'money' ? ` (${place.currency})` : ''}{field.required && <span className="bad" aria-hidden="true"> *</span>}</>}
      among={amongOf({ fields: texts }, field)}
      onText={(text) => setTexts((old) => ({ ...old, [field.name]: text, ...(field.name === 'pipeline' ? { stage: '' } : {}) }))} />
  )
  return (
    <>
      <PageHead title={`New ${label}`} scope={object.help}><BackDate value={happenedAt} onValue={setHappenedAt} /></PageHead>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Card title="Details" aside={<><span className="bad" aria-hidden="true">*</span> needed</>}>
          <div className={css['sections']}>
            {sectionsOf(fields).map((section, s) => (
              <fieldset key={section.title} className={css['section']}>
                <legend className={css['legend']}>{section.title}</legend>
                <div className={css['grid']}>{section.fields.map((field, i) => <div key={field.name} className={field.kind === 'long_text' ? css['wide'] : undefined}>{input(field, s === 0 && i === 0)}</div>)}</div>
              </fieldset>
            ))}
          </div>
          {failure !== undefined && <p role="alert" className={css['failure']}>{failure}</p>}
          <div className={css['buttons']}>
            <Button type="submit" loading={busy}>Create {label}</Button>
            <Button variant="default" component={Link} to={listPath(object.name)}>Cancel</Button>
          </div>
        </Card>
      </form>
    </>
  )
}

/** sectionsOf puts a form's fields in order: what is needed, then what it belongs to, its facts, whose it is, and words last. */
function sectionsOf(fields: FieldInfo[]): { title: string; fields: FieldInfo[] }[] {
  const whose = (field: FieldInfo): boolean => ['user', 'team'].includes(field.to) || field.name === 'territory'
  const rest = fields.filter((field) => !field.required)
  return [
    { title: 'Needed', fields: fields.filter((field) => field.required) },
    { title: 'Belongs to', fields: rest.filter((field) => field.kind === 'reference' && !whose(field)) },
    { title: 'Facts', fields: rest.filter((field) => field.kind !== 'reference' && field.kind !== 'long_text' && !whose(field)) },
    { title: 'Whose it is', fields: rest.filter(whose) },
    { title: 'In words', fields: rest.filter((field) => field.kind === 'long_text') },
  ].filter((section) => section.fields.length > 0)
}

/** readForm reads what was typed; blank fields are left out, so that the server's defaults hold, and asked for where there is none. */
export function readForm(fields: FieldInfo[], texts: Record<string, string>, place: { currency: string; zone: string }): { values: Record<string, Json>; wrong: Record<string, string> } {
  const values: Record<string, Json> = {}
  const wrong: Record<string, string> = {}
  for (const field of fields) {
    const parsed = parseInput(field, texts[field.name] ?? '', place)
    if (!parsed.ok) wrong[field.name] = parsed.message
    else if (parsed.value !== null) values[field.name] = parsed.value
    else if (field.required && field.fallback === '') wrong[field.name] = `${field.label} is needed.`
  }
  return { values, wrong }
}
