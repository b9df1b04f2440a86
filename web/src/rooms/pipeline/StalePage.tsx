import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { mayWrite } from '../../api/me'
import { sentence } from '../../api/problem'
import { useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tellFailure } from '../../kit/tell'
import { fetchStale, runStagnation, type StagnationRun, staleKey, type Step } from './contract'
import css from './Page.module.css'

const stepWords: Record<Step, { label: string; tone: 'watch' | 'bad' | 'good' }> = {
  nudge: { label: 'Nudge its owner', tone: 'watch' }, reengage: { label: 'Put on the re-engage list', tone: 'watch' }, lost: { label: 'Close as lost', tone: 'bad' },
  nurture: { label: 'Close, take up again later', tone: 'bad' }, freshen: { label: 'Take off the list', tone: 'good' },
}

/** StalePage shows what the stagnation policies would do today, and why. They act by themselves each morning. */
export function StalePage(): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const found = useInfiniteQuery({ queryKey: staleKey, queryFn: ({ pageParam, signal }) => fetchStale(pageParam, signal), initialPageParam: null as string | null, getNextPageParam: (page) => page.next })
  const run = useMutation({
    mutationFn: runStagnation,
    onSuccess: () => Promise.all([['records'], ['pipeline'], staleKey].map((queryKey) => client.invalidateQueries({ queryKey }))),
    onError: (problem) => tellFailure('The policies did not run', problem),
  })
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <PageHead title="Deals without life" scope={<><Link to="/pipeline">Pipeline</Link> · what each pipeline’s policy would do today; nothing is done by looking. The policies act at 05:15 each morning.</>}>
        {mayWrite(me, 'administrator') && items.length > 0 && <Button size="xs" loading={run.isPending} onClick={() => run.mutate()}>Do it now</Button>}
      </PageHead>
      {run.data !== undefined && <p className={css['done']} role="status">{ranWords(run.data)}</p>}
      <Card title="Due today" flush stale={found.isFetching && !found.isPending}>
        {found.isPending && <Waiting rows={5} height={36} label="The list" />}
        {found.isError && <Failed what="The list" error={found.error} retry={() => void found.refetch()} />}
        {found.isSuccess && items.length === 0 && <Empty title="Nothing is due" action={<Link to="/admin/stages">See the policies</Link>}>Every open deal shows life or has a step planned, or its pipeline has no policy.</Empty>}
        <ul className={css['list']}>
          {items.map(({ deal, step, why }) => (
            <li key={deal.id} className={css['stale']}>
              <span><Link to="/deals/$id" params={{ id: deal.id }}>{String(deal.fields['name'] ?? deal.id)}</Link> <span className="dim">{[deal.titles['stage'], deal.titles['owner']].filter((each) => each !== undefined).join(' · ')}</span></span>
              <Tag tone={stepWords[step].tone}>{stepWords[step].label}</Tag>
              <span className={css['why']}>{sentence(why)}</span>
            </li>
          ))}
        </ul>
        {found.hasNextPage && <div className={css['more']}><Button size="xs" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>Show more</Button></div>}
      </Card>
    </>
  )
}

function ranWords(run: StagnationRun): string {
  const parts = [
    `${run.nudged} nudged`, `${run.reengaged} put on the re-engage list`, `${run.lost} closed as lost`, `${run.nurtured} closed to be taken up again`, `${run.freshened} taken off the list`, `${run.refused} refused by their stage`,
  ].filter((part) => !part.startsWith('0 '))
  return sentence([parts.length === 0 ? 'Nothing was due' : parts.join(', '), ...run.notes].join('. '))
}
