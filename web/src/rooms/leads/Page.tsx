import { Button, Checkbox } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf } from '../../api/objects'
import { fetchRecords, type Rec, recordsKey } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import shared from '../imports/Page.module.css'
import { recordPath } from '../records/names'
import { acceptLead, clockWords, type Converted, filterOf, reassignLead, rejectLead, sortOf, type Tab, tabs, tabWords, undoConversion } from './contract'
import { LeadRow } from './LeadRow'
import css from './Page.module.css'
import { RejectDialog } from './RejectDialog'

const ConvertDialog = lazy(async () => ({ default: (await import('./ConvertDialog')).ConvertDialog }))

/** LeadsPage asks: which leads are inside their accept window? The decision is to accept one, or to reject it with a reason. */
export function LeadsPage(): ReactNode {
  const search = useSearch({ from: '/app/leads' })
  const navigate = useNavigate({ from: '/leads' })
  const { me } = useSession()
  const tab = search.show ?? 'waiting'
  const owner = search.whose === 'all' ? null : search.whose === 'mine' ? me.user.id : null
  return (
    <>
      <PageHead title="Leads" scope="By the time that is left to accept or answer, in working hours">
        <Button component={Link} size="xs" to="/records/lead" variant="default">All leads as a list</Button>
        {mayWrite(me, 'editor') && <Button component={Link} size="xs" to="/records/lead/new">New lead</Button>}
      </PageHead>
      <Card title={tabWords[tab]} flush>
        <div className={css['tabs']} role="group" aria-label="Which leads">
          {tabs.map((each) => <TabButton key={each} tab={each} owner={owner} here={each === tab} onOpen={() => void navigate({ search: (old) => ({ ...old, show: each }) })} />)}
          <Checkbox size="xs" label="Only mine" checked={search.whose === 'mine'} onChange={(event) => {
            const mine = event.currentTarget.checked
            void navigate({ search: (old) => ({ ...old, whose: mine ? 'mine' : undefined }) })
          }} />
          <span className={css['keys']}>J K to move, A accepts, X rejects</span>
        </div>
        <Leads tab={tab} owner={owner} />
      </Card>
    </>
  )
}

function TabButton({ tab, owner, here, onOpen }: { tab: Tab; owner: string | null; here: boolean; onOpen: () => void }): ReactNode {
  const format = useFormat()
  const query = { filter: filterOf(tab, owner), sort: '', limit: 1 }
  const count = useQuery({ queryKey: recordsKey('lead', query), queryFn: ({ signal }) => fetchRecords('lead', query, signal) }).data?.count
  return (
    <Button size="xs" variant={here ? 'light' : 'subtle'} className={css['tab'] ?? ''} aria-current={here ? 'page' : undefined} onClick={onOpen}>
      {tabWords[tab]}{count !== undefined && ` (${format.whole(count.value)}${count.capped ? '+' : ''})`}
    </Button>
  )
}

const pageSize = 100

function Leads({ tab, owner }: { tab: Tab; owner: string | null }): ReactNode {
  const { me } = useSession()
  const format = useFormat()
  const client = useQueryClient()
  const reasons = useObjects().data?.find((object) => object.name === 'lead')
  const query = { filter: filterOf(tab, owner), sort: sortOf[tab], limit: pageSize }
  const leads = useQuery({ queryKey: recordsKey('lead', query), queryFn: ({ signal }) => fetchRecords('lead', query, signal), placeholderData: keepPreviousData, refetchInterval: 60_000 })
  const [at, setAt] = useState(0)
  const [rejecting, setRejecting] = useState<Rec>()
  const [converting, setConverting] = useState<Rec>()
  const refresh = (): void => {
    for (const key of [['records'], ['record']]) void client.invalidateQueries({ queryKey: key })
  }
  const accept = useMutation({
    mutationFn: (lead: Rec) => acceptLead(lead.id),
    onSuccess: (lead) => tell(`${String(lead.fields['title'])} is yours to work on`),
    onError: (error) => tellFailure('The lead was not accepted', error),
    onSettled: refresh,
  })
  const again = useMutation({
    mutationFn: (lead: Rec) => reassignLead(lead.id),
    onSuccess: (lead) => tell(lead.titles['owner'] === undefined ? 'Given to somebody else' : `Given to ${lead.titles['owner']}`),
    onError: (error) => tellFailure('The lead stays where it is', error),
    onSettled: refresh,
  })
  const rows = leads.data?.items ?? []
  const place = Math.min(at, Math.max(0, rows.length - 1))
  const writable = mayWrite(me, 'editor')
  const deciding = writable && tab === 'waiting'
  const converted = (lead: Rec, { contact, deal }: Converted): void => {
    refresh()
    tell(deal !== null ? 'The lead is a contact with a deal now' : contact !== null ? 'The lead is a contact now' : 'The lead is converted', {
      label: 'Undo', run: async () => {
        const kept = await undoConversion(lead.id)
        refresh()
        if (kept > 0) tell(`${kept} ${kept === 1 ? 'record stays' : 'records stay'}: others have worked with them since`)
      },
    })
  }
  useKeys({
    j: () => setAt(Math.min(place + 1, rows.length - 1)), k: () => setAt(Math.max(place - 1, 0)),
    a: () => {
      const lead = rows[place]
      if (deciding && lead !== undefined && !accept.isPending) accept.mutate(lead)
    },
    x: () => {
      if (deciding) setRejecting(rows[place])
    },
  })
  if (leads.data === undefined) return leads.isError ? <Failed what="The leads" error={leads.error} retry={() => void leads.refetch()} /> : <Waiting rows={8} label="Leads" />
  if (rows.length === 0) return <Empty title={tab === 'waiting' ? 'No lead is waiting' : 'None'}>{emptyWords[tab]}</Empty>
  const now = Date.now()
  return (
    <>
      <div className={shared['scroll']} role="group" aria-label="Leads" tabIndex={0}>
        <table className={shared['table']} aria-busy={leads.isPlaceholderData}>
          <thead>
            <tr>
              <th scope="col">Lead</th><th scope="col">{tab === 'incomplete' ? 'Missing' : tab === 'rejected' ? 'Reason' : 'Clock'}</th><th scope="col">Source</th>
              <th scope="col">Owner</th><th scope="col">Why this owner</th>{writable && <th scope="col"><span className="sr">Actions</span></th>}
            </tr>
          </thead>
          <tbody>
            {rows.map((lead, i) => (
              <LeadRow key={lead.id} lead={lead} here={i === place} onHere={() => setAt(i)} path={recordPath('lead', lead.id)}
                state={stateOf(tab, lead, clockWords(lead.fields['response_due_at'], lead.fields['first_response_at'] ?? null, now, format.span), reasons)}>
                {deciding && <Button size="compact-xs" loading={accept.isPending && accept.variables.id === lead.id} onClick={() => accept.mutate(lead)}>Accept</Button>}
                {deciding && <Button size="compact-xs" variant="default" onClick={() => setRejecting(lead)}>Reject</Button>}
                {writable && tab === 'working' && <Button size="compact-xs" onClick={() => setConverting(lead)}>Convert</Button>}
                {writable && (tab === 'working' || tab === 'waiting') && <Button size="compact-xs" variant="subtle" loading={again.isPending && again.variables.id === lead.id} onClick={() => again.mutate(lead)}>Give away</Button>}
                {writable && tab === 'incomplete' && <Button component={Link} size="compact-xs" variant="default" to={recordPath('lead', lead.id)}>Complete</Button>}
              </LeadRow>
            ))}
          </tbody>
        </table>
      </div>
      {leads.data.count.value > pageSize && <p className={shared['hint']} style={{ padding: '8px 14px' }}>The first {pageSize} of {format.whole(leads.data.count.value)}{leads.data.count.capped ? '+' : ''}.</p>}
      {rejecting !== undefined && (
        <RejectDialog title={`Reject ${String(rejecting.fields['title'])}`} reasons={(reasons === undefined ? undefined : fieldOf(reasons, 'rejection_reason'))?.options ?? []}
          onClose={() => setRejecting(undefined)}
          onReject={async (reason) => {
            await rejectLead(rejecting.id, reason)
            tell(`${String(rejecting.fields['title'])} is rejected`)
            refresh()
          }} />
      )}
      {converting !== undefined && <Suspense><ConvertDialog lead={converting} onClose={() => setConverting(undefined)} onConverted={(done) => converted(converting, done)} /></Suspense>}
    </>
  )
}

const emptyWords: Record<Tab, string> = {
  waiting: 'New leads come by form, webhook, import or by hand; the assignment rules give them to somebody.',
  working: 'Accepted leads stand here until they are converted or rejected.',
  incomplete: 'Every lead has a name, a way to reach the person, and a source.',
  rejected: 'No lead has been rejected.',
}

function stateOf(tab: Tab, lead: Rec, clock: { words: string; late: boolean }, object: Parameters<typeof fieldOf>[0] | undefined): { words: string; late: boolean } {
  if (tab === 'incomplete') return { words: String(lead.fields['missing'] ?? ''), late: false }
  if (tab !== 'rejected') return clock
  const reason = lead.fields['rejection_reason']
  const option = object === undefined ? undefined : fieldOf(object, 'rejection_reason')?.options.find((each) => each.value === reason)
  return { words: option?.label ?? String(reason ?? '—'), late: false }
}
