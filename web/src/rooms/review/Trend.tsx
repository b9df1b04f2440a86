import { AxisBottom, AxisLeft } from '@visx/axis'
import { GridRows } from '@visx/grid'
import { scaleLinear } from '@visx/scale'
import { LinePath } from '@visx/shape'
import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { DataTable } from '../../kit/AsTable'
import { useWidth } from '../../kit/useWidth'
import type { TreeNode } from './contract'
import css from './Trend.module.css'

const height = 132
const margin = { top: 8, right: 10, bottom: 24, left: 44 }
const ticks = { fill: 'var(--ink-3)', fontSize: 10.5, fontFamily: 'inherit' } as const

/** Trend is a node's 13 weeks with its target and its usual range. */
export function Trend({ node, asTable }: { node: TreeNode; asTable: boolean }): ReactNode {
  const { ref, width } = useWidth<HTMLDivElement>()
  const format = useFormat()
  const { series, target, usualRange } = node
  if (asTable) {
    return <DataTable caption={`${node.label}, 13 weeks`} head={['Week', 'Value']} rows={series.map((each) => [format.week(each.weekOf), format.exact(node.unit, each.value)])} />
  }
  const known = series.flatMap((each) => (each.value === null ? [] : [each.value]))
  const first = series[0]
  const last = series[series.length - 1]
  if (known.length < 2 || first === undefined || last === undefined) return <p className="dim">Fewer than two weeks are known.</p>

  const all = [...known, ...(target === null ? [] : [target]), ...(usualRange === null ? [] : [usualRange.low, usualRange.high])]
  const x = scaleLinear<number>({ domain: [0, series.length - 1], range: [margin.left, Math.max(margin.left + 1, width - margin.right)] })
  const y = scaleLinear<number>({ domain: [Math.min(...all), Math.max(...all)], range: [height - margin.bottom, margin.top], nice: 3 })
  const points = series.map((each, i) => ({ i, value: each.value }))
  const sentence = `${node.label} over ${series.length} weeks: ${format.short(node.unit, first.value)} in the week of ${format.date(first.weekOf)}, ${format.short(node.unit, last.value)} in the week of ${format.date(last.weekOf)}`
  return (
    <div ref={ref} className={css['frame']}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={sentence}>
          <GridRows scale={y} left={margin.left} width={width - margin.left - margin.right} numTicks={3} stroke="var(--line)" />
          {usualRange !== null && (
            <rect x={margin.left} width={width - margin.left - margin.right} y={y(usualRange.high)} height={Math.max(1, y(usualRange.low) - y(usualRange.high))} className={css['usual']} />
          )}
          {target !== null && <line x1={margin.left} x2={width - margin.right} y1={y(target)} y2={y(target)} className={css['target']} />}
          <LinePath data={points} defined={(point) => point.value !== null} x={(point) => x(point.i)} y={(point) => y(point.value ?? 0)} className={css['line']} />
          {points.map((point) => point.value !== null && (
            <circle key={point.i} cx={x(point.i)} cy={y(point.value)} r={point.i === points.length - 1 ? 3.5 : 6} className={point.i < points.length - 1 ? css['touch'] : node.complete ? css['dot'] : css['open']}>
              <title>{`${format.week(series[point.i]?.weekOf ?? '')}: ${format.exact(node.unit, point.value)}`}</title>
            </circle>
          ))}
          <AxisLeft scale={y} left={margin.left} numTicks={3} hideAxisLine hideTicks tickFormat={(value) => format.short(node.unit, Number(value))} tickLabelProps={{ ...ticks, dx: '-0.2em', dy: '0.3em', textAnchor: 'end' }} />
          <AxisBottom scale={x} top={height - margin.bottom} tickValues={[0, series.length - 1]} hideTicks stroke="var(--line-strong)"
            tickFormat={(value) => format.dayMonth(series[Number(value)]?.weekOf ?? first.weekOf)}
            tickLabelProps={(value) => ({ ...ticks, textAnchor: Number(value) === 0 ? 'start' : 'end' })} />
        </svg>
      )}
    </div>
  )
}
