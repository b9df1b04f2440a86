import { IconChevronRight } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { type Format, initials } from '../../format/format'
import { Change } from '../../kit/Change'
import type { TreeNode } from './contract'
import { type Place, type Tone, tone } from './layout'
import { Spark } from './Spark'
import css from './TreeCard.module.css'

interface Props {
  place: Omit<Place, 'x' | 'y'>
  root: TreeNode
  /** the largest |contribution| on the tree: the common scale of the bars */
  scale: number
}

/** TreeCard is what a node shows: value, change, 13 weeks, its share of the root's change, and how near to target it is. */
export function TreeCard({ place: { node, hasChildren, folded }, root, scale }: Props): ReactNode {
  const format = useFormat()
  const delta = node.now === null || node.before === null ? null : node.now - node.before
  const changeTone = tone(delta, node.better)
  return (
    <>
      <div className={css['top']}>
        <span className={css['name']} title={node.label}>{hasChildren && <IconChevronRight size={12} className={folded ? css['shut'] : css['open']} />}{node.label}</span>
        {node.owner !== null && <span className={css['owner']} title={`Owner: ${node.owner.name}`}>{initials(node.owner.name)}</span>}
      </div>
      <div className={css['middle']}>
        <span className={`${css['value']} num`} title={node.now === null ? node.reason : format.exact(node.unit, node.now)}>{format.short(node.unit, node.now)}</span>
        <ChangePill node={node} tone={changeTone} format={format} />
        <span className={css['spark']}><Spark series={node.series} target={node.target} tone={changeTone} complete={node.complete} /></span>
      </div>
      <div className={css['bottom']}>
        <ContributionBar value={node.contribution} scale={scale} tone={tone(node.contribution, root.better)} />
        <span className={`${css['effect']} ${css[tone(node.contribution, root.better)]} num`} title={node.contribution === null ? undefined : format.signedExact(root.unit, node.contribution)}>
          {format.signed(root.unit, node.contribution)}
        </span>
        <span className={`${css['target']} num`}>{targetText(node, format)}</span>
      </div>
    </>
  )
}

export function targetText(node: TreeNode, format: Format): string {
  if (node.now === null || node.target === null || node.target === 0) return ''
  return `${format.percent(node.now / node.target)} of target`
}

/** changeWords says the change as the card does, for sight and for hearing. */
export function changeWords(node: TreeNode, format: Format): string {
  if (node.now === null || node.before === null) return 'no comparison'
  if (node.smallBase) return node.unit === 'count' ? `was ${format.short('count', node.before)} · small base` : 'small base'
  const text = format.change(node.unit, node.now, node.before)
  return text ?? (node.now === node.before ? 'no change' : `was ${format.short(node.unit, node.before)}`)
}

export function ChangePill({ node, tone: colour, format }: { node: TreeNode; tone: Tone; format: Format }): ReactNode {
  if (node.now === null) return <Change text={node.reason === '' ? 'not known' : 'undefined'} direction="level" tone="flat" title={node.reason} />
  const usual = node.usualRange?.inside === true
  const was = node.before === null ? node.beforeReason : `was ${format.exact(node.unit, node.before)}${usual ? '; within the usual range' : ''}`
  // Of a small count both numbers stand there; an arrow would only take their room.
  const plain = node.smallBase && node.unit === 'count'
  const direction = plain || node.before === null || node.now === node.before ? 'level' : node.now > node.before ? 'up' : 'down'
  return <Change text={changeWords(node, format)} direction={direction} tone={node.smallBase || node.before === null ? 'flat' : colour} usual={usual} title={was} />
}

function ContributionBar({ value, scale, tone: colour }: { value: number | null; scale: number; tone: Tone }): ReactNode {
  const half = 28
  const length = value === null || scale === 0 ? 0 : Math.max(value === 0 ? 0 : 1, (Math.abs(value) / scale) * half)
  return (
    <svg width={2 * half} height={6} className={css['bar']} aria-hidden="true">
      <rect width={2 * half} height={6} rx={3} className={css['groove']} />
      <rect x={value !== null && value < 0 ? half - length : half} width={length} height={6} rx={Math.min(2, length / 2)} className={css[`fill-${colour}`]} />
      <rect x={half - 0.5} width={1} height={6} className={css['zero']} />
    </svg>
  )
}
