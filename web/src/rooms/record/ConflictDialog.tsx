import { Button } from '@mantine/core'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import type { Json } from '../../api/decode'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { titleOf } from '../records/names'
import { writeValue } from '../records/value'
import css from './ConflictDialog.module.css'

interface Props {
  object: ObjectInfo
  /** the record as somebody else left it */
  theirs: Rec
  /** what the reader wrote, by field */
  mine: Record<string, Json>
  /** write the chosen values of the reader over the others' */
  onWrite: (values: Record<string, Json>) => Promise<void>
  /** leave everything as the others have it */
  onKeep: () => void
}

/** ConflictDialog shows, for each field that two people changed at once, both values side by side, and lets the reader choose. Nothing was written yet. */
export function ConflictDialog({ object, theirs, mine, onWrite, onKeep }: Props): ReactNode {
  const format = useFormat()
  const id = useId()
  const names = Object.keys(mine)
  const [chosen, setChosen] = useState<Record<string, 'mine' | 'theirs'>>(() => Object.fromEntries(names.map((name) => [name, 'theirs'])))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const values = Object.fromEntries(Object.entries(mine).filter(([name]) => chosen[name] === 'mine'))
    if (Object.keys(values).length === 0) return onKeep()
    setBusy(true)
    onWrite(values).catch((problem: unknown) => setError(explain(problem).message)).finally(() => setBusy(false))
  }
  return (
    <Dialog title="Somebody changed this while you were writing" onClose={onKeep} width={560}>
      <form onSubmit={submit} className={css['form']}>
        <p>Nothing of yours is written yet. Choose for <strong><bdi>{titleOf(object, theirs)}</bdi></strong>, changed {format.moment(theirs.updatedAt)}:</p>
        {names.map((name) => {
          const field = fieldOf(object, name)
          if (field === undefined) return null
          const option = (side: 'mine' | 'theirs', words: string, value: string): ReactNode => (
            <label className={css['option']}>
              <input type="radio" name={`${id}-${name}`} checked={chosen[name] === side} onChange={() => setChosen({ ...chosen, [name]: side })} />
              <span><span className="dim">{words}</span><span className={css['value']}><bdi>{value}</bdi></span></span>
            </label>
          )
          return (
            <fieldset key={name} className={css['field']}>
              <legend>{field.label}</legend>
              {option('theirs', 'Theirs, saved', writeValue(field, theirs.fields[name], theirs.titles[name], format))}
              {option('mine', 'Yours', writeValue(field, mine[name], undefined, format))}
            </fieldset>
          )
        })}
        {error !== undefined && <p role="alert" className="bad">{error}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={busy}>{Object.values(chosen).includes('mine') ? 'Save mine' : 'Keep theirs'}</Button>
          <Button variant="default" onClick={onKeep}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}
