import { Button } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import { fetchRecords, type Rec, recordsKey } from '../../api/records'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import shared from '../imports/Page.module.css'
import { clockWords } from '../leads/contract'
import { RejectDialog } from '../leads/RejectDialog'
import { recordPath } from '../records/names'
import { act, type Act, breachKey, type BreachReport, fetchBreaches, fetchRejections, kindWords, rejectHandoff, rejectionsKey } from './contract'

/** HandoffsPage asks: which handovers wait past their time, and why were others not taken? */
export function HandoffsPage(): ReactNode {
  return (
    <>
      <PageHead title="Handoffs" scope="From marketing to sales, from sales to success; clocks run in working time" />
      <div className={shared['stack']}>
        <OpenHandoffs />
        <Breaches />
        <Reasons />
      </div>
    </>
  )
}

const waiting: Predicate = { or: [
  { field: 'state', op: 'eq', value: 'open' },
  { and: [{ field: 'kind_of', op: 'eq', value: 'sales_to_success' }, { field: 'state', op: 'eq', value: 'accepted' }] },
] }

function OpenHandoffs(): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const object = useObjects().data?.find((each) => each.name === 'handoff')
  const query = { filter: waiting, sort: 'due_at', limit: 100 }
  const open = useQuery({ queryKey: recordsKey('handoff', query), queryFn: ({ signal }) => fetchRecords('handoff', query, signal), refetchInterval: 60_000 })
  const [rejecting, setRejecting] = useState<Rec>()
  const refresh = (): void => {
    for (const key of [['records'], ['breaches'], rejectionsKey]) void client.invalidateQueries({ queryKey: key })
  }
  const doing = useMutation({
    mutationFn: ({ handoff, what }: { handoff: Rec; what: Act }) => act(handoff.id, what),
    onSuccess: (_, { what }) => tell(what === 'accept' ? 'Accepted' : 'The kickoff is noted'),
    onError: (error) => tellFailure('Nothing was changed', error),
    onSettled: refresh,
  })
  if (open.data === undefined) return <Card title="Waiting">{open.isError ? <Failed what="The handoffs" error={open.error} retry={() => void open.refetch()} /> : <Waiting label="Handoffs" />}</Card>
  return (
    <Card title="Waiting" aside="what is due first comes first" flush>
      {open.data.items.length === 0
        ? <Empty title="Nothing waits to be taken">A handoff comes with each assigned lead and each won deal.</Empty>
        : (
          <div className={shared['scroll']} role="group" aria-label="Waiting handoffs" tabIndex={0}>
            <table className={shared['table']}>
              <thead><tr><th scope="col">Handoff</th><th scope="col">Clock</th><th scope="col">From</th><th scope="col">To</th><th scope="col">State</th><th scope="col"><span className="sr">Actions</span></th></tr></thead>
              <tbody>
                {open.data.items.map((handoff) => (
                  <Row key={handoff.id} handoff={handoff} object={object}>
                    {mayWrite(me, 'editor') && handoff.fields['state'] === 'open' && (
                      <>
                        <Button size="compact-xs" loading={doing.isPending && doing.variables.handoff.id === handoff.id} onClick={() => doing.mutate({ handoff, what: 'accept' })}>Accept</Button>{' '}
                        <Button size="compact-xs" variant="default" onClick={() => setRejecting(handoff)}>Reject</Button>
                      </>
                    )}
                    {mayWrite(me, 'editor') && handoff.fields['state'] === 'accepted' && (
                      <Button size="compact-xs" loading={doing.isPending && doing.variables.handoff.id === handoff.id} onClick={() => doing.mutate({ handoff, what: 'kickoff' })}>Kickoff held</Button>
                    )}
                  </Row>
                ))}
              </tbody>
            </table>
          </div>
        )}
      {rejecting !== undefined && (
        <RejectDialog title={`Reject ${String(rejecting.fields['summary'])}`} withComment reasons={(object === undefined ? undefined : fieldOf(object, 'reason'))?.options ?? []}
          onClose={() => setRejecting(undefined)}
          onReject={async (reason, comment) => {
            await rejectHandoff(rejecting.id, reason, comment)
            tell('Rejected; the campaign learns the reason')
            refresh()
          }} />
      )}
    </Card>
  )
}

/** what a handoff's clock waits for: the decision of sales, the kickoff of success */
const stopOf = (handoff: Rec): Rec['fields'][string] => (handoff.fields['kind_of'] === 'sales_to_success' && handoff.fields['state'] !== 'rejected' ? handoff.fields['done_at'] : handoff.fields['decided_at']) ?? null

function Row({ handoff, object, children }: { handoff: Rec; object: ObjectInfo | undefined; children?: ReactNode }): ReactNode {
  const format = useFormat()
  const clock = clockWords(handoff.fields['due_at'], stopOf(handoff), Date.now(), format.span, handoff.fields['state'] === 'rejected' ? 'Rejected' : 'Taken')
  const state = handoff.fields['state']
  const words = (object === undefined ? undefined : fieldOf(object, 'state'))?.options.find((option) => option.value === state)?.label ?? String(state)
  return (
    <tr>
      <th scope="row"><Link to={recordPath('handoff', handoff.id)}>{String(handoff.fields['summary'] ?? handoff.id)}</Link></th>
      <td>{clock.late ? <Tag tone="bad">{clock.words}</Tag> : clock.words}</td>
      <td>{handoff.titles['from'] ?? 'Canopy'}</td>
      <td>{handoff.titles['to'] ?? 'Nobody yet'}</td>
      <td>{words}</td>
      {children !== undefined && <td>{children}</td>}
    </tr>
  )
}

function Breaches(): ReactNode {
  const search = useSearch({ from: '/app/handoffs' })
  const navigate = useNavigate({ from: '/handoffs' })
  const format = useFormat()
  const object = useObjects().data?.find((each) => each.name === 'handoff')
  const week = search.week ?? ''
  const report = useQuery({ queryKey: breachKey(week), queryFn: ({ signal }) => fetchBreaches(week, signal), placeholderData: keepPreviousData })
  const to = (next: string): void => void navigate({ search: (old) => ({ ...old, week: next === '' ? undefined : next }), resetScroll: false })
  if (report.data === undefined) return <Card title="Breaches">{report.isError ? <Failed what="The report" error={report.error} retry={() => to('')} /> : <Waiting rows={4} label="The report" />}</Card>
  const { data } = report
  return (
    <Card title={`Breaches in the week of ${format.date(data.weekOf)}`} flush stale={report.isPlaceholderData} aside={(
      <span className={shared['buttons']}>
        <Button size="compact-xs" variant="default" onClick={() => to(data.previous)}>Week before</Button>
        <Button size="compact-xs" variant="default" disabled={data.next === ''} onClick={() => to(data.next)}>Week after</Button>
      </span>
    )}>
      <Counts report={data} />
      {data.late.length === 0
        ? <Empty title="No clock was broken">{data.kinds.every((kind) => kind.due === 0) ? 'Nothing was due in this week so far.' : 'All that was due was taken in time.'}</Empty>
        : (
          <div className={shared['scroll']} role="group" aria-label="Late handoffs" tabIndex={0}>
            <table className={shared['table']}>
              <thead><tr><th scope="col">Handoff</th><th scope="col">Clock</th><th scope="col">From</th><th scope="col">To</th><th scope="col">State</th></tr></thead>
              <tbody>{data.late.map((handoff) => <Row key={handoff.id} handoff={handoff} object={object} />)}</tbody>
            </table>
          </div>
        )}
      {data.capped && <p className={shared['hint']} style={{ padding: '8px 14px' }}>The week has more handoffs than were counted.</p>}
    </Card>
  )
}

function Counts({ report }: { report: BreachReport }): ReactNode {
  const format = useFormat()
  return (
    <div className={shared['scroll']} role="group" aria-label="How the clocks were kept" tabIndex={0}>
      <table className={shared['table']}>
        <thead><tr><th scope="col">Kind</th><th scope="col" className={shared['right']}>Due</th><th scope="col" className={shared['right']}>In time</th><th scope="col" className={shared['right']}>Taken late</th><th scope="col" className={shared['right']}>Still waiting</th></tr></thead>
        <tbody>
          {report.kinds.map((kind) => (
            <tr key={kind.kind}>
              <th scope="row">{kindWords[kind.kind] ?? kind.kind}</th>
              {[kind.due, kind.inTime, kind.late, kind.waiting].map((n, i) => <td key={i} className={`${shared['right']} num`}>{format.whole(n)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Reasons(): ReactNode {
  const format = useFormat()
  const object = useObjects().data?.find((each) => each.name === 'handoff')
  const rejections = useQuery({ queryKey: rejectionsKey, queryFn: ({ signal }) => fetchRejections(signal) })
  const label = (reason: string): string => (object === undefined ? undefined : fieldOf(object, 'reason'))?.options.find((option) => option.value === reason)?.label ?? reason
  return (
    <Card title="Why leads were not taken" aside="last 90 days, by campaign" flush>
      {rejections.data === undefined
        ? rejections.isError ? <Failed what="The reasons" error={rejections.error} retry={() => void rejections.refetch()} /> : <Waiting rows={3} label="The reasons" />
        : rejections.data.length === 0
          ? <Empty title="Nothing was rejected" />
          : (
            <div className={shared['scroll']} role="group" aria-label="Reasons" tabIndex={0}>
              <table className={shared['table']}>
                <thead><tr><th scope="col">Campaign</th><th scope="col">Reason</th><th scope="col" className={shared['right']}>Leads</th></tr></thead>
                <tbody>
                  {rejections.data.map((each) => (
                    <tr key={`${each.campaign} ${each.reason}`}>
                      <th scope="row">{each.campaign === '' ? 'No campaign' : <Link to={recordPath('campaign', each.campaign)}>{each.title === '' ? each.campaign : each.title}</Link>}</th>
                      <td>{label(each.reason)}</td><td className={`${shared['right']} num`}>{format.whole(each.count)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
    </Card>
  )
}
