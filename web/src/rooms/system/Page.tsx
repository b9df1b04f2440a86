import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import { explain } from '../../api/problem'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import shared from '../imports/Page.module.css'
import { backfill, cancelRun, fetchRelay, fetchRuns, isOver, relayKey, type Run, runsKey } from './contract'
import css from './Page.module.css'

/** SystemPage asks: are the numbers on the pages fresh, and if not, why? */
export function SystemPage(): ReactNode {
  return (
    <>
      <PageHead title="System" scope="How far the change log has come into the warehouse, and what the rooms have computed" />
      <RelayCard />
      <Runs />
    </>
  )
}

const relayWords: Record<string, { tone: 'good' | 'accent' | 'bad' | 'quiet'; words: string }> = {
  caught_up: { tone: 'good', words: 'Caught up' }, running: { tone: 'accent', words: 'Running' }, retrying: { tone: 'bad', words: 'Trying again' }, stopped: { tone: 'quiet', words: 'Stopped' },
}

function RelayCard(): ReactNode {
  const format = useFormat()
  const relay = useQuery({ queryKey: relayKey, queryFn: ({ signal }) => fetchRelay(signal), refetchInterval: 3000 })
  const status = relay.data
  if (status === undefined) return <Card title="Relay">{relay.isError ? <Failed what="The relay" error={relay.error} retry={() => void relay.refetch()} /> : <Waiting rows={2} height={44} label="The relay" />}</Card>
  const look = relayWords[status.state] ?? { tone: 'quiet' as const, words: status.state }
  const facts: [string, string][] = [
    ['In the warehouse', format.whole(status.position)], ['In the change log', format.whole(status.head)],
    ['Behind', status.lagChanges === 0 ? 'nothing' : `${format.whole(status.lagChanges)} ${status.lagChanges === 1 ? 'change' : 'changes'}`],
    ['Oldest waiting', status.lagSeconds === 0 ? '—' : format.span(status.lagSeconds)], ['Batch', format.whole(status.batch)], ['Incarnation', status.incarnation === '' ? '—' : status.incarnation.slice(0, 8)],
  ]
  return (
    <Card title={<>Relay <Tag tone={look.tone}>{look.words}</Tag></>} aside={relay.isError ? <span className="bad">could not be refreshed</span> : 'asked every 3 seconds'}>
      <dl className={shared['counts']}>{facts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd className="num">{value}</dd></div>)}</dl>
      {status.lastError !== '' && <p className={shared['error']} role="alert">Last error: {status.lastError}</p>}
    </Card>
  )
}

function Runs(): ReactNode {
  const { me } = useSession()
  const runs = useQuery({
    queryKey: runsKey, queryFn: ({ signal }) => fetchRuns(signal),
    refetchInterval: (query) => (query.state.data?.some((run) => !isOver(run.state)) === true ? 1500 : 15_000),
  })
  const rooms = [...new Set(['kpi', ...(runs.data ?? []).map((run) => run.room)])]
  return (
    <Card title="Runs" aside="newest first" flush>
      {mayWrite(me, 'administrator') && <Backfill rooms={rooms} />}
      {runs.data === undefined
        ? runs.isError ? <Failed what="The runs" error={runs.error} retry={() => void runs.refetch()} /> : <Waiting rows={5} label="The runs" />
        : runs.data.length === 0 ? <Empty title="Nothing has run yet">The first run comes with the schedule, or with a back-fill.</Empty> : <RunTable runs={runs.data} />}
    </Card>
  )
}

const tones: Record<string, 'good' | 'bad' | 'accent' | 'quiet'> = { done: 'good', failed: 'bad', running: 'accent', waiting: 'accent' }

function RunTable({ runs }: { runs: Run[] }): ReactNode {
  const format = useFormat()
  const { me } = useSession()
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: cancelRun,
    onSuccess: () => tell('The run is cancelled'),
    onError: (error) => tellFailure('The run was not cancelled', error),
    onSettled: () => client.invalidateQueries({ queryKey: runsKey }),
  })
  return (
    <div className={shared['scroll']} role="group" aria-label="Runs" tabIndex={0}>
      <table className={shared['table']}>
        <thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col">Weeks of</th><th scope="col" className={shared['right']}>Done</th><th scope="col" className={shared['right']}>Other than before</th><th scope="col" className={shared['right']}>Took</th><th scope="col">Why</th><th scope="col" className={shared['right']}>As of position</th><th scope="col">Started</th><th scope="col"><span className="sr">Actions</span></th></tr></thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <th scope="row">{run.room} {run.id}</th>
              <td><Tag tone={tones[run.state] ?? 'quiet'}>{run.state}</Tag>{run.error !== '' && <div className={css['why']}>{run.error}</div>}</td>
              <td>{run.first === '' ? '—' : run.first === run.last ? format.date(run.first) : `${format.date(run.first)} – ${format.date(run.last)}`}</td>
              <td className={`${shared['right']} num`}>{format.whole(run.done)} of {format.whole(run.weeks)}</td><td className={`${shared['right']} num`}>{format.whole(run.changed)}</td><td className={`${shared['right']} num`}>{format.decimal(run.seconds, 2)} s</td>
              <td>{run.cause}</td>
              <td className={`${shared['right']} num`}>{format.whole(run.position)}</td>
              <td>{run.startedAt !== '' ? format.instant(run.startedAt) : run.createdAt !== '' ? `asked ${format.instant(run.createdAt)}` : '—'}</td>
              <td>{!isOver(run.state) && mayWrite(me, 'administrator') && <Button size="compact-xs" variant="default" loading={cancel.isPending && cancel.variables === run.id} onClick={() => cancel.mutate(run.id)}>Cancel</Button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Backfill({ rooms }: { rooms: string[] }): ReactNode {
  const client = useQueryClient()
  const [room, setRoom] = useState(rooms[0] ?? 'kpi')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const start = useMutation({
    mutationFn: () => backfill(room, from, to),
    onSuccess: () => {
      tell('The back-fill has started')
      return client.invalidateQueries({ queryKey: runsKey })
    },
  })
  return (
    <form className={css['form']} aria-label="Back-fill" onSubmit={(event: FormEvent) => {
      event.preventDefault()
      start.mutate()
    }}>
      <NativeSelect size="xs" label="Room" value={room} data={rooms} onChange={(event) => setRoom(event.currentTarget.value)} />
      <TextInput size="xs" type="date" label="From" required withAsterisk={false} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
      <TextInput size="xs" type="date" label="Until (not included)" required withAsterisk={false} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
      <Button size="xs" type="submit" variant="default" loading={start.isPending}>Compute again</Button>
      {start.isError && <p role="alert" className="bad">{explain(start.error).message} {explain(start.error).remedy}</p>}
    </form>
  )
}
