import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, lazy, type ReactNode, Suspense, useState } from 'react'
import { fieldOf } from '../../api/objects'
import { explain, Problem } from '../../api/problem'
import { createRecord, deleteRecord, fetchRecords, patchRecord, type Rec, recordsKey, restoreRecord } from '../../api/records'
import { Card } from '../../kit/Card'
import { Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import type { PanelProps } from '../record/panels'
import { recordPath } from '../records/names'
import css from './Page.module.css'

// The search for people comes when somebody is added: a page that is only read needs none.
const RecordPicker = lazy(async () => ({ default: (await import('../record/FieldInput')).RecordPicker }))

/** ContactsPanel lists who has a part in a deal, and which one. */
export function ContactsPanel({ record, objects, writable }: PanelProps): ReactNode {
  const client = useQueryClient()
  const query = { filter: { field: 'deal', op: 'eq' as const, value: record.id }, sort: '', limit: 100 }
  const found = useQuery({ queryKey: recordsKey('deal_contact', query), queryFn: ({ signal }) => fetchRecords('deal_contact', query, signal) })
  const object = objects.find((each) => each.name === 'deal_contact')
  const roles = object === undefined ? [] : fieldOf(object, 'role')?.options ?? []
  const [contact, setContact] = useState('')
  const [adding, setAdding] = useState(false)
  const [role, setRole] = useState('champion')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  if (object === undefined) return null
  const again = (): Promise<void> => client.invalidateQueries({ queryKey: ['records', 'deal_contact'] })
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (contact === '') return setError('Choose a person.')
    setBusy(true)
    setError(undefined)
    try {
      await createRecord('deal_contact', { deal: record.id, contact, role }, { happenedAt: null })
      setContact('')
      await again()
    } catch (problem) {
      setError(problem instanceof Problem && problem.status === 409 ? 'This person has a part in the deal already.' : explain(problem).message)
    } finally {
      setBusy(false)
    }
  }
  const change = (person: Rec, next: string): void => {
    patchRecord(person, { role: next }, { happenedAt: null }).then(again, (problem: unknown) => tellFailure('The role was not changed', problem))
  }
  const remove = async (person: Rec): Promise<void> => {
    try {
      await deleteRecord(person)
      await again()
      tell(`${nameOf(person)} has no part in the deal any more`, {
        label: 'Undo',
        run: async () => {
          await restoreRecord('deal_contact', person.id)
          await again()
        },
      })
    } catch (problem) {
      tellFailure('The person was not taken off', problem)
    }
  }
  return (
    <Card title="People in this deal">
      {found.isPending && <Waiting rows={2} label="The people" />}
      {found.isError && <Failed what="The people" error={found.error} retry={() => void found.refetch()} />}
      {found.data?.items.length === 0 && <p className={css['none']}>Nobody yet. Who champions it, who signs, who is against it?</p>}
      <ul className={css['people']} aria-label="People in this deal">
        {found.data?.items.map((person) => (
          <li key={person.id} className={css['person']}>
            <Link to={recordPath('contact', String(person.fields['contact']))}>{nameOf(person)}</Link>
            <span className={css['foot']}>
              <NativeSelect size="xs" aria-label={`Role of ${nameOf(person)}`} disabled={!writable} value={String(person.fields['role'] ?? '')} data={roles} onChange={(event) => change(person, event.currentTarget.value)} />
              {writable && <ActionIcon variant="subtle" color="gray" aria-label={`Take ${nameOf(person)} off the deal`} onClick={() => void remove(person)}><IconX size={15} /></ActionIcon>}
            </span>
          </li>
        ))}
      </ul>
      {writable && !adding && <Button size="compact-sm" variant="subtle" onClick={() => setAdding(true)}>Add a person</Button>}
      {writable && adding && (
        <form onSubmit={(event) => void add(event)} className={css['add']}>
          <Suspense><RecordPicker to="contact" among={null} value={contact} onValue={setContact} label="Person" size="xs" error={error} /></Suspense>
          <NativeSelect size="xs" label="Role" value={role} data={roles} onChange={(event) => setRole(event.currentTarget.value)} />
          <Button type="submit" size="xs" variant="default" loading={busy}>Add</Button>
        </form>
      )}
    </Card>
  )
}

const nameOf = (person: Rec): string => person.titles['contact'] ?? (typeof person.fields['name'] === 'string' ? person.fields['name'] : String(person.fields['contact'] ?? person.id))
