import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { undefinedMark } from '../../format/format'
import { Failed } from '../../kit/states'
import type { BoardSums, Total } from './contract'
import { useSums } from './money'
import css from './Page.module.css'

/** Strip is what stands over the board: only numbers that the API gives exactly. */
export function Strip({ sums }: { sums: UseQueryResult<BoardSums> }): ReactNode {
  const format = useFormat()
  const say = useSums()
  if (sums.isError) return <Failed what="The sums over the board" error={sums.error} retry={() => void sums.refetch()} />
  const data = sums.data
  const deals = (total: Total | undefined): string => (total === undefined ? ' ' : total.count === 1 ? '1 deal' : `${format.whole(total.count)} deals`)
  const money = (list: Total['sums'] | undefined): string => (list === undefined || list.length === 0 ? undefinedMark : say(list))
  return (
    <section className={css['strip']} aria-label="Sums" aria-busy={sums.isPlaceholderData || sums.isPending}>
      <Figure label="Open" value={money(data?.open.sums)} sub={deals(data?.open)} />
      <Figure label="Open, weighted" value={money(data?.open.weighted)} sub="by each stage’s probability" />
      <Figure label="Won this month" value={money(data?.wonThisMonth.sums)} sub={deals(data?.wonThisMonth)} />
      <Figure label="Stale" value={data === undefined ? undefinedMark : format.whole(data.staleCount)} sub={<Link to="/pipeline/stale">over their stage’s age limit; what is done about it</Link>} />
    </section>
  )
}

function Figure({ label, value, sub }: { label: string; value: string; sub: ReactNode }): ReactNode {
  return <div className={css['figure']}><span className={css['label']}>{label}</span><span className={`${css['value']} num`}>{value}</span><span className={css['sub']}>{sub}</span></div>
}
