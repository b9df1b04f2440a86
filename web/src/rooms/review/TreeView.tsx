import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react'
import { useFormat } from '../../app/session'
import { useWidth } from '../../kit/useWidth'
import type { Tree, TreeNode } from './contract'
import { cardHeight, cardWidth, layOut, narrowest, type Place, rootOf, tone, walk } from './layout'
import { changeWords, targetText, TreeCard } from './TreeCard'
import css from './TreeView.module.css'

interface Props {
  tree: Tree
  selected: string
  folded: ReadonlySet<string>
  onSelect: (id: string) => void
  onFold: (id: string, fold: boolean) => void
}

/**
 * TreeView draws the tree left to right with edges as wide as their contribution; where there is no room it is an
 * indented outline of the same cards. It is one tab stop: arrows walk, left folds, Enter selects.
 */
export function TreeView({ tree, selected, folded, onSelect, onFold }: Props): ReactNode {
  const { ref, width } = useWidth<HTMLDivElement>()
  const wanted = useRef<string | null>(null)
  const items = useRef(new Map<string, HTMLDivElement>())
  const format = useFormat()
  const root = rootOf(tree)
  const walked = walk(tree, folded)
  const ids = walked.map((each) => each.node.id)
  const stop = ids.includes(selected) ? selected : ids[0] ?? ''

  useEffect(() => {
    if (wanted.current === null) return
    items.current.get(wanted.current)?.focus()
    wanted.current = null
  })
  if (root === undefined) return null

  const press = (event: KeyboardEvent, place: Omit<Place, 'x' | 'y'>): void => {
    const at = ids.indexOf(place.node.id)
    const focus = (id: string | undefined): void => {
      if (id !== undefined) items.current.get(id)?.focus()
    }
    const keys: Record<string, () => void> = {
      ArrowDown: () => focus(ids[at + 1]),
      ArrowUp: () => focus(ids[at - 1]),
      Home: () => focus(ids[0]),
      End: () => focus(ids[ids.length - 1]),
      ArrowRight: () => {
        if (place.folded) {
          wanted.current = place.node.id
          onFold(place.node.id, false)
        } else if (place.hasChildren) focus(ids[at + 1])
      },
      ArrowLeft: () => {
        if (place.hasChildren && !place.folded) {
          wanted.current = place.node.id
          onFold(place.node.id, true)
        } else focus(place.node.parent)
      },
      Enter: () => onSelect(place.node.id),
      ' ': () => onSelect(place.node.id),
    }
    const action = keys[event.key]
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    action()
  }

  const scale = Math.max(0, ...tree.nodes.map((node) => Math.abs(node.contribution ?? 0)))
  const outline = width > 0 && width < narrowest(tree, new Set())
  const layout = outline || width === 0 ? null : layOut(tree, folded, width)
  const places: (Omit<Place, 'x' | 'y'> & Partial<Pick<Place, 'x' | 'y'>>)[] = layout?.places ?? walked

  return (
    <div ref={ref} className={css['frame']}>
      <div role="tree" aria-label={`What drives ${root.label.toLowerCase()}`} className={layout === null ? css['outline'] : css['canvas']}
        style={layout === null ? undefined : { height: layout.height }}>
        {layout !== null && (
          <svg className={css['edges']} width={layout.width} height={layout.height} aria-hidden="true">
            {layout.edges.map((edge) => (
              <path key={edge.id} d={edge.path} strokeWidth={edge.width} className={edge.contribution === null ? css['unknown'] : css[`edge-${tone(edge.contribution, root.better)}`]} />
            ))}
          </svg>
        )}
        {places.map((place) => (
          <div key={place.node.id} role="treeitem" tabIndex={place.node.id === stop ? 0 : -1} data-node={place.node.id}
            aria-level={place.level} aria-posinset={place.place} aria-setsize={place.siblings} aria-selected={place.node.id === selected}
            aria-expanded={place.hasChildren ? !place.folded : undefined} aria-label={label(place.node, root, format)}
            data-contribution={place.node.contribution ?? ''}
            ref={(element) => {
              if (element === null) items.current.delete(place.node.id)
              else items.current.set(place.node.id, element)
            }}
            className={css['card']}
            style={layout === null ? { marginLeft: (place.level - 1) * 14 } : { position: 'absolute', left: place.x, top: place.y, width: cardWidth, height: cardHeight }}
            onClick={() => onSelect(place.node.id)} onDoubleClick={() => place.hasChildren && onFold(place.node.id, !place.folded)}
            onKeyDown={(event) => press(event, place)}>
            <TreeCard place={place} root={root} scale={scale} />
          </div>
        ))}
        {layout !== null && (
          <svg className={css['edges']} width={layout.width} height={layout.height} aria-hidden="true">
            {layout.dots.map((dot) => (
              <g key={dot.id} transform={`translate(${dot.x},${dot.y})`}>
                <circle r={9} className={css['dot']} />
                <text className={css['sign']} textAnchor="middle" dy="0.36em">{dot.sign}</text>
              </g>
            ))}
          </svg>
        )}
      </div>
    </div>
  )
}

/** label is what is heard on a card: value, change, contribution, target. */
function label(node: TreeNode, root: TreeNode, format: ReturnType<typeof useFormat>): string {
  const value = node.now === null ? `not defined${node.reason === '' ? '' : `: ${node.reason}`}` : format.exact(node.unit, node.now)
  const parts = [
    `${node.label} ${value}`,
    node.now === null ? '' : changeWords(node, format),
    node.usualRange?.inside === true ? 'within the usual range' : '',
    node.contribution === null || node.id === root.id ? '' : `effect on ${root.label.toLowerCase()} ${format.signed(root.unit, node.contribution)}`,
    targetText(node, format),
  ]
  return parts.filter((part) => part !== '').join(', ')
}
