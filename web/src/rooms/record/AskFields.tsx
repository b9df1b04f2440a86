import { Button } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { parseInput } from '../records/value'
import { FieldInput } from './FieldInput'
import css from './StageBar.module.css'

/** AskFields asks for the fields that a step needs before it is taken. */
export function AskFields({ title, fields, onSave, onClose }: { title: string; fields: FieldInfo[]; onSave: (values: Record<string, Json>) => Promise<void>; onClose: () => void }): ReactNode {
  const { place } = useFormat()
  const [texts, setTexts] = useState<Record<string, string>>({})
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const values: Record<string, Json> = {}
    const wrong: Record<string, string> = {}
    for (const field of fields) {
      const parsed = parseInput(field, texts[field.name] ?? '', place)
      if (!parsed.ok) wrong[field.name] = parsed.message
      else if (parsed.value === null) wrong[field.name] = `${field.label} is needed here.`
      else values[field.name] = parsed.value
    }
    setErrors(wrong)
    if (Object.keys(wrong).length > 0) return
    setBusy(true)
    try {
      await onSave(values)
    } catch (problem) {
      setFailure(explain(problem).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose} width={400}>
      <form onSubmit={(event) => void submit(event)} className={css['ask']}>
        {fields.map((field, i) => (
          <FieldInput key={field.name} field={field} size="sm" label={field.label} description={field.help} text={texts[field.name] ?? ''} onText={(text) => setTexts({ ...texts, [field.name]: text })} error={errors[field.name]} autoFocus={i === 0} />
        ))}
        {failure !== undefined && <p role="alert" className={css['error']}>{failure}</p>}
        <div className={css['buttons']}><Button type="submit" loading={busy}>{title}</Button><Button variant="default" onClick={onClose}>Cancel</Button></div>
      </form>
    </Dialog>
  )
}
