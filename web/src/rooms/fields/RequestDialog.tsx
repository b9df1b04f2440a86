import { Button, Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import type { Kind, ObjectInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import { useSession } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import { ask, decide, definitionOf, type Draft, nameOf } from './contract'
import { kindName } from './Dictionary'
import css from './Page.module.css'

const kinds: Kind[] = ['text', 'long_text', 'number', 'money', 'date', 'instant', 'picklist', 'multi_pick', 'boolean', 'email', 'phone', 'url', 'country', 'address', 'reference', 'file', 'formula', 'score']

/** RequestDialog asks for a field or an object, with a reason and an example; an administrator may approve it in the same step. */
export function RequestDialog({ objects, start, onClose }: { objects: ObjectInfo[]; start: string; onClose: () => void }): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>({ what: 'field', object: start, label: '', plural: '', name: '', kind: 'text', help: '', options: '', to: 'account', scale: '', formula: '', indexed: false, unique: false })
  const [named, setNamed] = useState(false)
  const [reason, setReason] = useState('')
  const [example, setExample] = useState('')
  const [atOnce, setAtOnce] = useState(false)
  const set = (change: Partial<Draft>): void => setDraft((old) => ({ ...old, ...change }))
  const request = useMutation({
    mutationFn: async () => {
      const asked = await ask(definitionOf(draft), reason, example)
      return atOnce ? await decide(asked, 'approve', reason) : asked
    },
    onSuccess: (asked) => {
      tell(atOnce ? `${draft.label} is live` : `${draft.label} is requested`)
      onClose()
      return asked
    },
    onSettled: () => client.invalidateQueries(),
  })
  const isObject = draft.what === 'object'
  const picks = draft.kind === 'picklist' || draft.kind === 'multi_pick'
  const choices = objects.map((each) => ({ value: each.name, label: each.label }))
  return (
    <Dialog title="Request a field or object" onClose={onClose} width={620}>
      <form className={css['stack']} onSubmit={(event: FormEvent) => {
        event.preventDefault()
        request.mutate()
      }}>
        <div className={css['pair']}>
          <NativeSelect label="What" value={draft.what} data={[{ value: 'field', label: 'A field' }, { value: 'object', label: 'An object' }]} onChange={(event) => set({ what: event.currentTarget.value === 'object' ? 'object' : 'field' })} autoFocus />
          {isObject
            ? <TextInput label="Several of them" description="As in Machines" required withAsterisk={false} value={draft.plural} onChange={(event) => set({ plural: event.currentTarget.value })} />
            : <NativeSelect label="Of" value={draft.object} data={choices} onChange={(event) => set({ object: event.currentTarget.value })} />}
          <TextInput label="Label" description={isObject ? 'As in Machine' : 'As people call it'} required withAsterisk={false} maxLength={100} value={draft.label} onChange={(event) => {
            const label = event.currentTarget.value
            set({ label, ...(named ? {} : { name: nameOf(label) }) })
          }} />
          <TextInput label="Name" description="For programs; it never changes" required withAsterisk={false} maxLength={48} value={draft.name} onChange={(event) => {
            setNamed(true)
            set({ name: event.currentTarget.value })
          }} />
        </div>
        {!isObject && (
          <div className={css['pair']}>
            <NativeSelect label="Kind" value={draft.kind} data={kinds.map((kind) => ({ value: kind, label: kindName(kind) }))} onChange={(event) => set({ kind: kinds.find((kind) => kind === event.currentTarget.value) ?? 'text' })} />
            {draft.kind === 'reference' && <NativeSelect label="Links to" value={draft.to} data={choices} onChange={(event) => set({ to: event.currentTarget.value })} />}
            {(draft.kind === 'number' || draft.kind === 'formula') && <TextInput label="Decimals" inputMode="numeric" pattern="[0-9]" value={draft.scale} onChange={(event) => set({ scale: event.currentTarget.value })} />}
          </div>
        )}
        {!isObject && draft.kind === 'formula' && <TextInput label="Formula" description="An expression over the object's fields, as in amount.amount * 0.1" required withAsterisk={false} value={draft.formula} onChange={(event) => set({ formula: event.currentTarget.value })} />}
        {!isObject && picks && <Textarea label="Options" description="One a line; other spellings of sources behind =, as in retail: Retail = shops, RTL" required withAsterisk={false} autosize minRows={3} maxRows={8} value={draft.options} onChange={(event) => set({ options: event.currentTarget.value })} />}
        <TextInput label="Meaning" description="One sentence: what it says and where it comes from" maxLength={500} value={draft.help} onChange={(event) => set({ help: event.currentTarget.value })} />
        {!isObject && (
          <div className={css['buttons']}>
            <Checkbox label="People filter and sort by it" checked={draft.indexed} onChange={(event) => set({ indexed: event.currentTarget.checked })} />
            <Checkbox label="No two records share a value" checked={draft.unique} onChange={(event) => set({ unique: event.currentTarget.checked })} />
          </div>
        )}
        <Textarea label="Reason" description="Which question cannot be answered without it" required withAsterisk={false} autosize minRows={2} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Textarea label="Example" description="A record that needs it, and the value it would have" required withAsterisk={false} autosize minRows={2} value={example} onChange={(event) => setExample(event.currentTarget.value)} />
        {mayWrite(me, 'administrator') && <Checkbox label="Approve it at once, for this reason" checked={atOnce} onChange={(event) => setAtOnce(event.currentTarget.checked)} />}
        {request.isError && <p role="alert" className="bad">{explain(request.error).message} {explain(request.error).remedy}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={request.isPending}>{atOnce ? 'Request and approve' : 'Request'}</Button>
          <Button variant="default" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}
