import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import { ask, decide, nameOf } from './contract'
import css from './Page.module.css'

/** OptionDialog adds an option to a list, or spellings of sources to one that it has, by a request that is approved in the same step. */
export function OptionDialog({ object, field, onClose }: { object: ObjectInfo; field: FieldInfo; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [value, setValue] = useState('')
  const [label, setLabel] = useState('')
  const [aliases, setAliases] = useState('')
  const [reason, setReason] = useState('')
  const spellings = aliases.split(',').map((each) => each.trim()).filter((each) => each !== '')
  const amend = useMutation({
    mutationFn: async () => {
      const option = value === '' ? { value: nameOf(label), label, aliases: spellings } : { value, aliases: spellings }
      const asked = await ask(JSON.stringify({ object: object.name, amend: [{ field: field.name, options: [option] }] }), reason, spellings[0] ?? label)
      return await decide(asked, 'approve', reason)
    },
    onSuccess: () => {
      tell(`${field.label} is changed`)
      onClose()
    },
    onSettled: () => client.invalidateQueries(),
  })
  return (
    <Dialog title={`Add to ${field.label}`} onClose={onClose}>
      <form className={css['stack']} onSubmit={(event: FormEvent) => {
        event.preventDefault()
        amend.mutate()
      }}>
        <NativeSelect label="Option" value={value} data={[{ value: '', label: 'A new option' }, ...field.options.filter((option) => !option.retired).map((option) => ({ value: option.value, label: option.label }))]} onChange={(event) => setValue(event.currentTarget.value)} autoFocus />
        {value === '' && <TextInput label="Label of the new option" required withAsterisk={false} maxLength={100} value={label} onChange={(event) => setLabel(event.currentTarget.value)} />}
        <TextInput label="Spellings that mean it" description="As sources write it, with commas between; case and spaces do not matter" required={value !== ''} withAsterisk={false} value={aliases} onChange={(event) => setAliases(event.currentTarget.value)} />
        <TextInput label="Reason" required withAsterisk={false} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {amend.isError && <p role="alert" className="bad">{explain(amend.error).message} {explain(amend.error).remedy}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={amend.isPending}>Add</Button>
          <Button variant="default" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}
