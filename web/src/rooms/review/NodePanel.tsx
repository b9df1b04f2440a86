import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useObjects } from '../../app/queries'
import { useFormat } from '../../app/session'
import { Tag } from '../../kit/Change'
import { Card } from '../../kit/Card'
import { useAsTable } from '../../kit/AsTable'
import { listPath } from '../records/names'
import { compareWords } from './Lede'
import type { Tree, TreeNode } from './contract'
import { rootOf, tone } from './layout'
import css from './NodePanel.module.css'
import { Trend } from './Trend'

/** NodePanel says all that is known about one node, and leads to the records behind it. */
export function NodePanel({ tree, node, stale }: { tree: Tree; node: TreeNode; stale: boolean }): ReactNode {
  const format = useFormat()
  const { asTable, button } = useAsTable()
  const root = rootOf(tree)
  const share = node.now !== null && node.target !== null && node.target !== 0 ? `${format.percent(node.now / node.target)} of it` : ''
  // Against a base that is too small a percentage would say more than is known.
  const change = (before: number | null): string => (node.smallBase ? '' : format.change(node.unit, node.now, before) ?? '')
  const rows: [label: string, value: number | null, note: string, why: string][] = [
    ...(tree.compare.kind === 'target' ? [] : [[compareWords[tree.compare.kind].row, node.before, change(node.before), node.beforeReason] satisfies [string, number | null, string, string]]),
    ['4-week average', node.mean4, change(node.mean4), ''],
    ...(tree.compare.kind === 'last_year' ? [] : [['Same week last year', node.lastYear, change(node.lastYear), ''] satisfies [string, number | null, string, string]]),
    ['Target', node.target, share, ''],
  ]
  return (
    <Card title={node.label} aside={<DrillLink node={node} />} stale={stale} className={css['panel']}>
      <div className={css['value']}>
        <span className="num" data-testid="panel-value">{format.exact(node.unit, node.now)}</span>
        {node.smallBase && <Tag title="Too few cases for a percentage to mean much">small base</Tag>}
        {node.usualRange !== null && (node.usualRange.inside
          ? <Tag title={`Between ${format.short(node.unit, node.usualRange.low)} and ${format.short(node.unit, node.usualRange.high)} in the last 13 weeks`}>within usual range</Tag>
          : <Tag tone="accent" title={`Usually between ${format.short(node.unit, node.usualRange.low)} and ${format.short(node.unit, node.usualRange.high)}`}>unusual</Tag>)}
        {!node.complete && <Tag tone="watch">so far</Tag>}
      </div>
      {node.now === null && <p className={css['reason']}>Not defined: {node.reason === '' ? 'no reason was given' : node.reason}.</p>}
      <Trend node={node} asTable={asTable} />
      <div className={css['legend']}><span>{asTable ? '13 weeks' : ['13 weeks', node.target === null ? '' : 'dashes = target', node.usualRange === null ? '' : 'band = usual'].filter((each) => each !== '').join(' · ')}</span>{button}</div>
      <table className={css['facts']}>
        <caption className="sr">{node.label} compared</caption>
        <tbody>
          {rows.map(([label, value, note, why]) => (
            <tr key={label}><th scope="row">{label}</th><td className="num" title={value === null ? why : format.exact(node.unit, value)}>{format.short(node.unit, value)}</td><td className="num dim">{note}</td></tr>
          ))}
          {root !== undefined && node.id !== root.id && (
            <tr><th scope="row">Effect on {root.label.toLowerCase()}</th><td /><td className={`num ${css[tone(node.contribution, root.better)]}`} title={format.signedExact(root.unit, node.contribution)}>{format.signed(root.unit, node.contribution)}</td></tr>
          )}
        </tbody>
      </table>
      <dl className={css['about']}>
        {node.definition !== '' && <div><dt>Means</dt><dd>{node.definition}</dd></div>}
        {node.formula !== '' && <div><dt>Formula</dt><dd>{node.formula}</dd></div>}
        {node.owner !== null && <div><dt>Owner</dt><dd>{node.owner.name}</dd></div>}
      </dl>
    </Card>
  )
}

function DrillLink({ node }: { node: TreeNode }): ReactNode {
  const objects = useObjects().data
  if (node.drill === null) return null
  const { object, filter } = node.drill
  const plural = objects?.find((each) => each.name === object)?.plural.toLowerCase() ?? 'records'
  return <Link to={listPath(object)} search={filter === null ? {} : { filter }} className={css['drill']}>See the {plural}</Link>
}
