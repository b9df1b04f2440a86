import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { Dialog } from '../../kit/Dialog'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell } from '../../kit/tell'
import { decide, fetchProgress, fetchRequests, requestsKey, textOf } from './contract'
import css from './Page.module.css'

const looks: Record<string, { tone: 'accent' | 'good' | 'bad' | 'watch'; words: string }> = {
  requested: { tone: 'watch', words: 'Requested' }, approved: { tone: 'accent', words: 'Being computed' }, live: { tone: 'good', words: 'Live' }, rejected: { tone: 'bad', words: 'Rejected' },
}

/** Requests lists what was asked for, what is undecided first. */
export function Requests(): ReactNode {
  const requests = useQuery({
    queryKey: requestsKey, queryFn: ({ signal }) => fetchRequests(signal),
    refetchInterval: (query) => (query.state.data?.some((request) => request.fields['state'] === 'approved') === true ? 1500 : false),
  })
  const [all, setAll] = useState(false)
  const sorted = [...(requests.data ?? [])].sort((a, b) => Number(b.fields['state'] === 'requested') - Number(a.fields['state'] === 'requested'))
  const shown = all ? sorted : sorted.slice(0, 5)
  return (
    <Card title="Change requests" aside={requests.data !== undefined && requests.data.length > 0 ? `${requests.data.filter((each) => each.fields['state'] === 'requested').length} undecided` : undefined}>
      {requests.data === undefined
        ? requests.isError ? <Failed what="The requests" error={requests.error} retry={() => void requests.refetch()} /> : <Waiting rows={2} height={44} label="The requests" />
        : shown.length === 0
          ? <Empty title="Nobody has asked for anything yet">Whoever misses a field asks for it here, with a reason and an example. Administrators decide, and what is approved is there at once.</Empty>
          : <ul className={css['requests']}>{shown.map((request) => <Request key={request.id} request={request} />)}</ul>}
      {!all && sorted.length > shown.length && <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>Show all {sorted.length}</Button>}
    </Card>
  )
}

function Request({ request }: { request: Rec }): ReactNode {
  const { me } = useSession()
  const format = useFormat()
  const [deciding, setDeciding] = useState<'approve' | 'reject'>()
  const state = textOf(request.fields['state'])
  const look = looks[state] ?? { tone: 'accent' as const, words: state }
  const title = textOf(request.fields['title'])
  return (
    <li>
      <div className={css['requestHead']}>
        <strong>{title}</strong> <Tag tone={look.tone}>{look.words}</Tag>
        <span className="dim">{request.titles['requested_by'] ?? 'Canopy'}{request.createdAt !== '' && `, ${format.instant(request.createdAt)}`}</span>
      </div>
      <dl className={css['facts']}>
        <div><dt>Reason</dt><dd>{textOf(request.fields['reason'])}</dd></div>
        <div><dt>Example</dt><dd>{textOf(request.fields['example'])}</dd></div>
        {textOf(request.fields['decision']) !== '' && <div><dt>Decision</dt><dd>{textOf(request.fields['decision'])}{request.titles['decided_by'] !== undefined && ` (${request.titles['decided_by']})`}</dd></div>}
      </dl>
      {state === 'approved' && <Computing id={request.id} />}
      {state === 'requested' && (
        <>
          <details className={css['definition']}><summary>Definition</summary><pre tabIndex={0} aria-label={`Definition of ${title}`}>{pretty(textOf(request.fields['definition']))}</pre></details>
          {mayWrite(me, 'administrator') && (
            <div className={css['buttons']}>
              <Button size="compact-sm" onClick={() => setDeciding('approve')} aria-label={`Approve ${title}`}>Approve</Button>
              <Button size="compact-sm" variant="default" onClick={() => setDeciding('reject')} aria-label={`Reject ${title}`}>Reject</Button>
            </div>
          )}
        </>
      )}
      {deciding !== undefined && <Decision request={request} how={deciding} onClose={() => setDeciding(undefined)} />}
    </li>
  )
}

function pretty(definition: string): string {
  try {
    return JSON.stringify(JSON.parse(definition), null, 2)
  } catch {
    return definition
  }
}

function Computing({ id }: { id: string }): ReactNode {
  const format = useFormat()
  const progress = useQuery({ queryKey: ['field-request-progress', id], queryFn: ({ signal }) => fetchProgress(id, signal), refetchInterval: 1500 })
  if (progress.data === undefined) return null
  return <p role="status" className="dim">The formula is being computed for existing records: {format.whole(progress.data.done)} so far{progress.data.refused > 0 && `, ${format.whole(progress.data.refused)} without a value`}.</p>
}

function Decision({ request, how, onClose }: { request: Rec; how: 'approve' | 'reject'; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const title = textOf(request.fields['title'])
  const decision = useMutation({
    mutationFn: () => decide(request, how, reason.trim()),
    onSuccess: async () => {
      await client.invalidateQueries() // what the registry holds is on every page
      tell(how === 'approve' ? `${title} is live` : `${title} is rejected`)
      onClose()
    },
  })
  return (
    <Dialog title={how === 'approve' ? `Approve “${title}”?` : `Reject “${title}”?`} onClose={onClose}>
      <form className={css['stack']} onSubmit={(event: FormEvent) => {
        event.preventDefault()
        decision.mutate()
      }}>
        <p>{how === 'approve' ? 'It is there at once: in forms, lists, import, search and the warehouse. Fields and options can be retired later, but never taken away.' : 'Whoever asked reads the reason here.'}</p>
        <Textarea label="Reason" required withAsterisk={false} autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autoFocus />
        {decision.isError && <p role="alert" className="bad">{explain(decision.error).message} {explain(decision.error).remedy}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={decision.isPending} disabled={reason.trim() === ''}>{how === 'approve' ? 'Approve' : 'Reject'}</Button>
          <Button variant="default" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  )
}
