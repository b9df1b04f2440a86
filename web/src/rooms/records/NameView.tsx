import { Button, Switch, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { newKey } from '../../api/client'
import { explain } from '../../api/problem'
import type { SavedView } from '../../api/views'
import { Dialog } from '../../kit/Dialog'
import css from './ViewPicker.module.css'

/** NameView asks for the name of a view that is saved or renamed, and whether everybody may use a new one. */
export function NameView({ rename, mayShare, onSave, onClose }: { rename: SavedView | undefined; mayShare: boolean; onSave: (name: string, shared: boolean, key: string) => Promise<void>; onClose: () => void }): ReactNode {
  const [name, setName] = useState(rename?.name ?? '')
  const [shared, setShared] = useState(false)
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const key = useRef(newKey())
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (name.trim() === '') return setError('Give the view a name.')
    setBusy(true)
    onSave(name.trim(), shared, key.current).catch((problem: unknown) => {
      key.current = newKey()
      setBusy(false)
      setError(explain(problem).message)
    })
  }
  return (
    <Dialog title={rename === undefined ? 'Save as a new view' : 'Rename the view'} onClose={onClose} width={400}>
      <form onSubmit={submit} className={css['form']}>
        <TextInput label="Name" data-autofocus autoFocus maxLength={200} value={name} error={error} onChange={(event) => setName(event.currentTarget.value)} />
        {rename === undefined && mayShare && <Switch label="Share with everybody" checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />}
        {rename === undefined && <p className="dim">It keeps the filter, order, columns and layout that you see. The rows stay those that each reader may see.</p>}
        <div className={css['buttons']}><Button type="submit" loading={busy}>Save view</Button><Button variant="default" onClick={onClose}>Cancel</Button></div>
      </form>
    </Dialog>
  )
}
