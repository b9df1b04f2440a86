import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import { useObjects } from '../../app/queries'
import { useSession } from '../../app/session'
import { PageHead } from '../../kit/PageHead'
import { Card } from '../../kit/Card'
import { Failed, Waiting } from '../../kit/states'
import { Dictionary } from './Dictionary'
import css from './Page.module.css'
import { RequestDialog } from './RequestDialog'
import { Requests } from './Requests'

/** FieldsPage asks: which objects and fields are there, what do they mean, and how does one get another? */
export function FieldsPage(): ReactNode {
  const { me } = useSession()
  const objects = useObjects()
  const { q, object } = useSearch({ from: '/app/admin/fields' })
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState(q ?? '')
  return (
    <>
      <PageHead title="Fields" scope="Every object and field, what it means and who answers for it">
        {mayWrite(me) && objects.data !== undefined && <Button size="xs" onClick={() => setAsking(true)}>Request a field or object</Button>}
      </PageHead>
      <Requests />
      <search className={css['controls']}>
        <TextInput size="xs" label="Find" placeholder="Name, label or meaning" value={typed} onChange={(event) => {
          const next = event.currentTarget.value
          setTyped(next)
          void navigate({ to: '/admin/fields', search: { q: next.trim() === '' ? undefined : next.trim(), object }, replace: true })
        }} />
        <NativeSelect size="xs" label="Object" value={object ?? ''} data={[{ value: '', label: 'All objects' }, ...(objects.data ?? []).map((each) => ({ value: each.name, label: each.label }))]}
          onChange={(event) => void navigate({ to: '/admin/fields', search: { q, object: event.currentTarget.value === '' ? undefined : event.currentTarget.value } })} />
      </search>
      {objects.data === undefined
        ? <Card title="Objects">{objects.isError ? <Failed what="The dictionary" error={objects.error} retry={() => void objects.refetch()} /> : <Waiting rows={10} label="The dictionary" />}</Card>
        : <Dictionary objects={objects.data} q={q ?? ''} chosen={object ?? ''} />}
      {asking && objects.data !== undefined && <RequestDialog objects={objects.data} start={object ?? 'account'} onClose={() => setAsking(false)} />}
    </>
  )
}
