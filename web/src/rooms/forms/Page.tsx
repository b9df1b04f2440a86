import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { mayWrite } from '../../api/me'
import { fetchRecords, type Rec, recordsKey } from '../../api/records'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import shared from '../imports/Page.module.css'
import { recordPath } from '../records/names'
import { Editor } from './Editor'

const query = { filter: null, sort: 'name', limit: 200 }

/** FormsPage asks: what do our forms ask, and what has come through them? */
export function FormsPage(): ReactNode {
  const { form: chosen } = useSearch({ from: '/app/admin/forms' })
  const navigate = useNavigate({ from: '/admin/forms' })
  const { me } = useSession()
  const writable = mayWrite(me, 'administrator')
  const forms = useQuery({ queryKey: recordsKey('form', query), queryFn: ({ signal }) => fetchRecords('form', query, signal) })
  const open = (id: string): void => void navigate({ search: { form: id } })
  const shown = forms.data?.items.find((form) => form.id === chosen)
  return (
    <>
      <PageHead title="Forms" scope="On a page of their own or on your sites; every submission is kept">
        {writable && <Button size="xs" onClick={() => open('new')}>New form</Button>}
      </PageHead>
      <div className={shared['stack']}>
        <Card title="Forms" flush>
          {forms.data === undefined
            ? forms.isError ? <Failed what="The forms" error={forms.error} retry={() => void forms.refetch()} /> : <Waiting rows={3} label="Forms" />
            : forms.data.items.length === 0 ? <Empty title="There is no form yet">A form makes leads, with the visit that brought them.</Empty> : <FormTable forms={forms.data.items} chosen={chosen ?? ''} onOpen={open} />}
        </Card>
        {chosen === 'new' && writable && <Editor key="new" form={undefined} writable onSaved={(saved) => open(saved.id)} />}
        {shown !== undefined && <Editor key={`${shown.id}.${shown.version}`} form={shown} writable={writable} onSaved={() => undefined} />}
        {shown !== undefined && <Submissions form={shown} />}
        {writable && <KeptMessages />}
      </div>
    </>
  )
}

function FormTable({ forms, chosen, onOpen }: { forms: Rec[]; chosen: string; onOpen: (id: string) => void }): ReactNode {
  return (
    <div className={shared['scroll']} role="group" aria-label="Forms" tabIndex={0}>
      <table className={shared['table']}>
        <thead><tr><th scope="col">Form</th><th scope="col">Page</th><th scope="col">Source</th><th scope="col">State</th><th scope="col"><span className="sr">Actions</span></th></tr></thead>
        <tbody>
          {forms.map((form) => (
            <tr key={form.id} aria-current={form.id === chosen ? 'true' : undefined}>
              <th scope="row">{String(form.fields['name'])}</th>
              <td><a href={`/f/${String(form.fields['slug'])}`} target="_blank" rel="noreferrer">/f/{String(form.fields['slug'])}</a></td>
              <td>{String(form.fields['source'] ?? '—')}</td>
              <td>{form.fields['active'] === true ? <Tag tone="good">Active</Tag> : <Tag>Closed</Tag>}</td>
              <td><Button size="compact-xs" variant="default" aria-label={`Open ${String(form.fields['name'])}`} onClick={() => onOpen(form.id)}>Open</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const stateWords: Record<string, { words: string; tone: 'good' | 'bad' | 'quiet' | 'accent' }> = {
  accepted: { words: 'Accepted', tone: 'good' }, pending: { words: 'Waits for confirmation', tone: 'accent' }, spam: { words: 'Spam', tone: 'quiet' }, refused: { words: 'Refused', tone: 'bad' },
}

function Submissions({ form }: { form: Rec }): ReactNode {
  const format = useFormat()
  const asked = { filter: { field: 'form', op: 'eq' as const, value: form.id }, sort: '-at', limit: 50 }
  const found = useQuery({ queryKey: recordsKey('form_submission', asked), queryFn: ({ signal }) => fetchRecords('form_submission', asked, signal) })
  return (
    <Card title="Submissions" aside="the latest 50, as they came" flush>
      {found.data === undefined
        ? found.isError ? <Failed what="The submissions" error={found.error} retry={() => void found.refetch()} /> : <Waiting rows={3} label="Submissions" />
        : found.data.items.length === 0
          ? <Empty title="Nothing has been sent yet" />
          : (
            <div className={shared['scroll']} role="group" aria-label="Submissions" tabIndex={0}>
              <table className={shared['table']}>
                <thead><tr><th scope="col">Came</th><th scope="col">State</th><th scope="col">From</th><th scope="col">Became</th><th scope="col">Reason</th></tr></thead>
                <tbody>
                  {found.data.items.map((each) => {
                    const state = stateWords[String(each.fields['state'])] ?? { words: String(each.fields['state']), tone: 'quiet' as const }
                    const [object, id] = typeof each.fields['lead'] === 'string' ? ['lead', each.fields['lead']] : ['contact', each.fields['contact']]
                    return (
                      <tr key={each.id}>
                        <th scope="row"><Link to={recordPath('form_submission', each.id)}>{format.instant(String(each.fields['at']))}</Link></th>
                        <td><Tag tone={state.tone}>{state.words}</Tag></td>
                        <td>{String(each.fields['email'] ?? '—')}</td>
                        <td>{typeof id === 'string' ? <Link to={recordPath(object, id)}>{each.titles[object] ?? id}</Link> : '—'}</td>
                        <td>{String(each.fields['reason'] ?? '')}</td>
                      </tr>
                    )
                  })}
                </tbody>
              </table>
            </div>
          )}
    </Card>
  )
}

const keptQuery = { filter: null, sort: '-kept_at', limit: 20 }

function KeptMessages(): ReactNode {
  const format = useFormat()
  const kept = useQuery({ queryKey: recordsKey('outbox_message', keptQuery), queryFn: ({ signal }) => fetchRecords('outbox_message', keptQuery, signal) })
  if (kept.data === undefined) return kept.isError ? <Card title="Kept messages"><Failed what="The kept messages" error={kept.error} retry={() => void kept.refetch()} /></Card> : null
  if (kept.data.items.length === 0) return null
  return (
    <Card title="Kept messages" aside="not sent: sending mail is not connected. Pass them on by hand." flush>
      <div className={shared['scroll']} role="group" aria-label="Kept messages" tabIndex={0}>
        <table className={shared['table']}>
          <thead><tr><th scope="col">Message</th><th scope="col">To</th><th scope="col">Kept since</th></tr></thead>
          <tbody>
            {kept.data.items.map((message) => (
              <tr key={message.id}><th scope="row"><Link to={recordPath('outbox_message', message.id)}>{String(message.fields['subject'])}</Link></th><td>{String(message.fields['to'])}</td><td>{format.instant(String(message.fields['kept_at'] ?? message.createdAt))}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}
