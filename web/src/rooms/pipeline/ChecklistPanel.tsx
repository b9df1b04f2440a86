import { NativeSelect, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import { fieldOf } from '../../api/objects'
import { Card } from '../../kit/Card'
import { tell, tellFailure } from '../../kit/tell'
import type { PanelProps } from '../record/panels'
import css from './Page.module.css'

const questions = ['budget', 'authority', 'need', 'timing']

/** ChecklistPanel asks the four questions that qualify a deal, each with yes, no or unknown and a note. */
export function ChecklistPanel({ record, object, writable, happenedAt, writing }: PanelProps): ReactNode {
  const save = async (fields: Record<string, Json>): Promise<void> => {
    try {
      const saved = await writing.save(record, fields, happenedAt)
      if (saved.kind === 'conflict') tell('Somebody answered this meanwhile. Their answer is shown.')
    } catch (problem) {
      tellFailure('The answer was not kept', problem)
    }
  }
  const asked = questions.flatMap((name) => {
    const field = fieldOf(object, name)
    return field === undefined ? [] : [field]
  })
  const known = asked.filter((field) => record.fields[field.name] === 'yes').length
  return (
    <Card title="Qualification" aside={`${known} of ${asked.length} are a yes`}>
      <div className={css['check']}>
        {asked.map((field) => {
          const note = record.fields[`${field.name}_note`]
          const value = record.fields[field.name]
          return (
            <div key={field.name} className={css['checkRow']} role="group" aria-label={field.label}>
              <span className={css['checkName']} title={field.help}>{field.label}</span>
              <NativeSelect size="xs" aria-label={`${field.label}: answer`} disabled={!writable} value={typeof value === 'string' ? value : ''} data={[{ value: '', label: '—' }, ...field.options]}
                onChange={(event) => void save({ [field.name]: event.currentTarget.value === '' ? null : event.currentTarget.value })} />
              <Note key={String(note)} label={`${field.label}: note`} value={typeof note === 'string' ? note : ''} disabled={!writable} onSave={(text) => void save({ [`${field.name}_note`]: text === '' ? null : text })} />
            </div>
          )
        })}
      </div>
    </Card>
  )
}

/** Note is kept when the reader leaves it or presses Enter. */
function Note({ label, value, disabled, onSave }: { label: string; value: string; disabled: boolean; onSave: (text: string) => void }): ReactNode {
  const [text, setText] = useState(value)
  const keep = (): void => {
    if (text.trim() !== value) onSave(text.trim())
  }
  return (
    <TextInput size="xs" aria-label={label} placeholder="Note" maxLength={500} disabled={disabled} value={text} onChange={(event) => setText(event.currentTarget.value)} onBlur={keep}
      onKeyDown={(event) => {
        if (event.key === 'Enter') keep()
      }} />
  )
}
