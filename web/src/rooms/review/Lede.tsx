import { Fragment, type ReactNode } from 'react'
import { useFormat } from '../../app/session'
import type { Compare, Share, Tree } from './contract'
import { rootOf, tone } from './layout'
import css from './Lede.module.css'

/** How a comparison is named in a sentence, in a row and under a bar. */
export const compareWords: Record<Compare, { on: string; row: string; bar: string; option: string }> = {
  previous: { on: 'on last week', row: 'Last week', bar: 'Last week', option: 'vs last week' },
  last_year: { on: 'on the same week last year', row: 'Same week last year', bar: 'Last year', option: 'vs last year' },
  target: { on: 'against target', row: 'Target', bar: 'Target', option: 'vs target' },
}

/** Lede is the answer in one sentence: value, change, share of target, the biggest push and the biggest drag. */
export function Lede({ tree, onNode }: { tree: Tree; onNode: (id: string) => void }): ReactNode {
  const format = useFormat()
  const root = rootOf(tree)
  if (root === undefined) return null
  const { value, change, changeShare, targetShare, push, drag } = tree.lede
  if (value === null) return <p className={css['lede']}><strong>{root.label} is not defined</strong>: {root.reason === '' ? 'no reason was given' : root.reason}.</p>

  const verb = tree.week.complete ? 'was' : `after ${tree.week.daysElapsed} of 7 days is`
  const facts = [
    change === null ? '' : `${format.signed(root.unit, change)} ${compareWords[tree.compare.kind].on}${changeShare === null || root.smallBase ? '' : ` (${format.signedPercent(changeShare)})`}`,
    targetShare === null || tree.compare.kind === 'target' ? '' : `${format.percent(targetShare)} of target`,
  ].filter((each) => each !== '')
  const drivers = [push, drag].filter((each): each is Share => each !== null)
  return (
    <p className={css['lede']} data-testid="lede">
      <strong title={format.exact(root.unit, value)}>{root.label} {verb} <span data-testid="lede-value">{format.short(root.unit, value)}</span></strong>
      {facts.length > 0 && <>, <span data-testid="lede-change">{facts.join(' and ')}</span></>}.{' '}
      {drivers.map((each, i) => (
        <Fragment key={each.node}>
          {i > 0 && '; '}
          <button type="button" className={`${css['driver']} ${css[tone(each.contribution, root.better)]}`} onClick={() => onNode(each.node)}>{each.label}</button>
          {each.contribution >= 0 ? ' added ' : ' took away '}
          <span className="num" title={format.exact(root.unit, each.contribution)}>{format.short(root.unit, Math.abs(each.contribution))}</span>
        </Fragment>
      ))}
      {drivers.length > 0 && '.'}
    </p>
  )
}
