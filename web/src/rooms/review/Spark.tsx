import { scaleLinear } from '@visx/scale'
import { LinePath } from '@visx/shape'
import type { ReactNode } from 'react'
import type { WeekValue } from './contract'
import type { Tone } from './layout'
import css from './Spark.module.css'

interface Props {
  series: WeekValue[]
  target: number | null
  tone: Tone
  complete: boolean
}

const width = 54
const height = 22

/** Spark is the 13-week line of a card, with the target as dashes. The card's label says its numbers. */
export function Spark({ series, target, tone, complete }: Props): ReactNode {
  const known = series.flatMap((each) => (each.value === null ? [] : [each.value]))
  if (known.length < 2) return null
  const all = target === null ? known : [...known, target]
  const x = scaleLinear<number>({ domain: [0, Math.max(1, series.length - 1)], range: [2, width - 4] })
  const y = scaleLinear<number>({ domain: [Math.min(...all), Math.max(...all)], range: [height - 3, 3] })
  const points = series.map((each, i) => ({ i, value: each.value }))
  const last = series[series.length - 1]?.value ?? null
  return (
    <svg width={width} height={height} className={`${css['spark']} ${css[tone]}`} aria-hidden="true">
      {target !== null && <line x1={2} x2={width - 2} y1={y(target)} y2={y(target)} className={css['target']} />}
      <LinePath data={points} defined={(point) => point.value !== null} x={(point) => x(point.i)} y={(point) => y(point.value ?? 0)} className={css['line']} />
      {last !== null && <circle cx={x(series.length - 1)} cy={y(last)} r={2.4} className={complete ? css['dot'] : css['open']} />}
    </svg>
  )
}
