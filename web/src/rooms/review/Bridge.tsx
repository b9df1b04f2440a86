import { scaleBand, scaleLinear } from '@visx/scale'
import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { DataTable, useAsTable } from '../../kit/AsTable'
import { Card } from '../../kit/Card'
import { Empty } from '../../kit/states'
import { useWidth } from '../../kit/useWidth'
import css from './Bridge.module.css'
import type { Tree, TreeNode } from './contract'
import { type Bar, bridgeBars, bridgeFloor, rootOf, tone } from './layout'
import { compareWords } from './Lede'

const height = 276
const margin = { top: 26, bottom: 44 }

/** Bridge walks from the value before to the value now, one driver at a time; on narrow screens it is a list of bars. */
export function Bridge({ tree, stale, onNode }: { tree: Tree; stale: boolean; onNode: (id: string) => void }): ReactNode {
  const { ref, width } = useWidth<HTMLDivElement>()
  const { asTable, button } = useAsTable()
  const format = useFormat()
  const root = rootOf(tree)
  if (root === undefined) return null
  const start = compareWords[tree.compare.kind].bar
  const end = tree.week.complete ? 'This week' : 'So far'
  const bars = bridgeBars(tree, start, end)
  const cut = bars !== null && bridgeFloor(bars) > 0
  return (
    <Card title={`From ${start.toLowerCase()} to ${tree.week.complete ? 'this week' : 'this week so far'}`} aside={bars !== null && button} stale={stale}>
      <div ref={ref} className={css['frame']}>
        {bars === null
          ? <Empty title="There is nothing to compare">{root.now === null ? root.reason : root.beforeReason || 'The earlier value is not known.'}</Empty>
          : asTable
            ? <DataTable caption={`${root.label}: ${start} to ${end}`} head={['Driver', 'Change', 'Level after']} rows={bars.map((bar) => [bar.label, bar.kind === 'total' ? '' : format.signedExact(root.unit, bar.delta), format.exact(root.unit, bar.to)])} />
            : width === 0 ? null : width < 520
              ? <BarList bars={bars} root={root} onNode={onNode} />
              : <Waterfall bars={bars} root={root} width={width} partial={!tree.week.complete} onNode={onNode} />}
      </div>
      {cut && !asTable && <p className={css['caption']}>The axis is cut to show the changes; total bars are not to scale.</p>}
    </Card>
  )
}

interface Drawn {
  bars: Bar[]
  root: TreeNode
  onNode: (id: string) => void
}

function kindClass(bar: Bar, root: TreeNode): string {
  return css[bar.kind === 'total' ? 'total' : tone(bar.delta, root.better)] ?? ''
}

function Waterfall({ bars, root, width, partial, onNode }: Drawn & { width: number; partial: boolean }): ReactNode {
  const format = useFormat()
  const floor = bridgeFloor(bars)
  const levels = bars.flatMap((bar) => (bar.kind === 'total' ? [bar.to] : [bar.from, bar.to]))
  const x = scaleBand<string>({ domain: bars.map((bar) => bar.key), range: [0, width], padding: width / bars.length > 110 ? 0.4 : 0.24 })
  const y = scaleLinear<number>({ domain: [floor, Math.max(...levels, floor + 1)], range: [height - margin.bottom, margin.top] })
  const zero = y(Math.max(floor, 0))
  const band = x.bandwidth()
  return (
    <svg width={width} height={height} role="list" aria-label={`${root.label}, step by step`} className={css['chart']}>
      <defs>
        <pattern id="partial" width="6" height="6" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><rect width="3" height="6" className={css['total']} /></pattern>
      </defs>
      <line x1={0} x2={width} y1={zero} y2={zero} className={css['base']} />
      {bars.map((bar, i) => {
        const left = x(bar.key) ?? 0
        const from = bar.kind === 'total' ? zero : y(bar.from)
        const to = y(bar.to)
        const top = Math.min(from, to)
        const next = bars[i + 1]
        const words = bar.kind === 'total' ? format.short(root.unit, bar.to) : format.signed(root.unit, bar.delta)
        const isNode = bar.kind === 'change'
        return (
          <g key={bar.key} role="listitem" aria-label={`${bar.label} ${words}`} className={isNode ? css['step'] : undefined} onClick={isNode ? () => onNode(bar.key) : undefined}>
            <title>{bar.kind === 'total' ? format.exact(root.unit, bar.to) : format.signedExact(root.unit, bar.delta)}</title>
            <rect x={left} width={band} y={top} height={Math.max(1.5, Math.abs(to - from))} rx={2.5}
              className={partial && bar.key === 'now' ? css['hatched'] : kindClass(bar, root)} fill={partial && bar.key === 'now' ? 'url(#partial)' : undefined} />
            {bar.kind === 'total' && floor > 0 && <path d={`M${left - 2},${zero - 12} l${band + 4},-5`} className={css['break']} />}
            {next !== undefined && <line x1={left + band} x2={x(next.key) ?? 0} y1={to} y2={to} className={css['link']} />}
            <text x={left + band / 2} y={top - 7} textAnchor="middle" className={css['number']}>{words}</text>
            {lines(bar.label, band * 1.24).map((line, row) => (
              <text key={row} x={left + band / 2} y={height - margin.bottom + 17 + row * 14} textAnchor="middle" className={css['name']}>{line}</text>
            ))}
          </g>
        )
      })}
    </svg>
  )
}

/** lines breaks a label into at most two lines that fit under a bar; what does not fit ends in "…". */
export function lines(label: string, width: number): string[] {
  const room = Math.max(4, Math.floor(width / 6.1))
  if (label.length <= room) return [label]
  const words = label.split(' ')
  let first = words.shift() ?? ''
  while (words[0] !== undefined && `${first} ${words[0]}`.length <= room) first += ` ${words.shift() ?? ''}`
  const clip = (text: string): string => (text.length <= room ? text : `${text.slice(0, room - 1)}…`)
  return words.length === 0 ? [clip(first)] : [clip(first), clip(words.join(' '))]
}

function BarList({ bars, root, onNode }: Drawn): ReactNode {
  const format = useFormat()
  const floor = bridgeFloor(bars)
  const high = Math.max(...bars.flatMap((bar) => [bar.from, bar.to]))
  const percent = (value: number): number => ((Math.max(value, floor) - floor) / (high - floor || 1)) * 100
  return (
    <ul className={css['list']} aria-label={`${root.label}, step by step`}>
      {bars.map((bar) => {
        const low = percent(bar.kind === 'total' ? Math.max(0, floor) : Math.min(bar.from, bar.to))
        const end = percent(bar.kind === 'total' ? bar.to : Math.max(bar.from, bar.to))
        return (
          <li key={bar.key} onClick={bar.kind === 'change' ? () => onNode(bar.key) : undefined}>
            <span className={css['listName']}>{bar.label}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width={100} height={10} className={css['groove']} /><rect x={low} width={Math.max(1, end - low)} height={10} className={kindClass(bar, root)} /></svg>
            <span className={`${css['listNumber']} num`}>{bar.kind === 'total' ? format.short(root.unit, bar.to) : format.signed(root.unit, bar.delta)}</span>
          </li>
        )
      })}
    </ul>
  )
}
