// Where the tree's cards and edges stand: pure geometry over the server's nodes.
import type { Tree, TreeNode } from './contract'

export const cardWidth = 240
export const cardHeight = 76
const rowGap = 10
const groupGap = 6
const widestEdge = 14
const thinnestEdge = 1.25

export interface Place {
  node: TreeNode
  /** 1 for the root */
  level: number
  /** 1-based place among its siblings, and how many they are */
  place: number
  siblings: number
  hasChildren: boolean
  folded: boolean
  x: number
  y: number
}

export interface EdgePath {
  id: string
  path: string
  width: number
  contribution: number | null
}

export interface Layout {
  places: Place[]
  edges: EdgePath[]
  /** the operator between a parent and its children */
  dots: { id: string; x: number; y: number; sign: string }[]
  width: number
  height: number
}

export const signs: Record<TreeNode['op'], string> = { sum: '+', product: '×', ratio: '÷', mean: '⌀', input: '' }

/** walk lists the visible nodes in reading order. */
export function walk(tree: Tree, folded: ReadonlySet<string>): Omit<Place, 'x' | 'y'>[] {
  const children = new Map<string, TreeNode[]>()
  for (const node of tree.nodes) {
    const list = children.get(node.parent)
    if (list === undefined) children.set(node.parent, [node])
    else list.push(node)
  }
  const out: Omit<Place, 'x' | 'y'>[] = []
  const visit = (parent: string, level: number): void => {
    const list = children.get(parent) ?? []
    list.forEach((node, i) => {
      const hasChildren = children.has(node.id)
      const isFolded = hasChildren && folded.has(node.id)
      out.push({ node, level, place: i + 1, siblings: list.length, hasChildren, folded: isFolded })
      if (hasChildren && !isFolded) visit(node.id, level + 1)
    })
  }
  visit('', 1)
  return out
}

/** narrowest is the width under which the tree becomes an indented outline. */
export function narrowest(tree: Tree, folded: ReadonlySet<string>): number {
  const levels = Math.max(1, ...walk(tree, folded).map((each) => each.level))
  return levels * cardWidth + (levels - 1) * 44
}

export function layOut(tree: Tree, folded: ReadonlySet<string>, width: number): Layout {
  const walked = walk(tree, folded)
  const levels = Math.max(1, ...walked.map((each) => each.level))
  const step = levels === 1 ? 0 : Math.min(cardWidth + 120, (width - cardWidth) / (levels - 1))
  const y = new Map<string, number>()
  let next = 0
  let lastParent: string | null = null
  for (const each of walked) {
    if (each.hasChildren && !each.folded) continue
    // A little air between families.
    if (lastParent !== null && lastParent !== each.node.parent) next += groupGap
    lastParent = each.node.parent
    y.set(each.node.id, next)
    next += cardHeight + rowGap
  }
  for (const each of [...walked].reverse()) {
    if (y.has(each.node.id)) continue
    const ys = walked.filter((child) => child.node.parent === each.node.id).map((child) => y.get(child.node.id) ?? 0)
    y.set(each.node.id, (Math.min(...ys) + Math.max(...ys)) / 2)
  }
  const places = walked.map((each) => ({ ...each, x: Math.round((each.level - 1) * step), y: Math.round(y.get(each.node.id) ?? 0) }))
  const height = Math.max(cardHeight, next - rowGap)
  return { places, ...drawEdges(places), width: Math.max(width, (levels - 1) * step + cardWidth), height }
}

function drawEdges(places: Place[]): Pick<Layout, 'edges' | 'dots'> {
  const largest = Math.max(0, ...places.filter((each) => each.level > 1).map((each) => Math.abs(each.node.contribution ?? 0)))
  const widthOf = (node: TreeNode): number =>
    largest === 0 ? thinnestEdge : Math.max(thinnestEdge, (Math.abs(node.contribution ?? 0) / largest) * widestEdge)
  const edges: EdgePath[] = []
  const dots: Layout['dots'] = []
  for (const parent of places) {
    const children = places.filter((each) => each.node.parent === parent.node.id)
    if (children.length === 0) continue
    const x0 = parent.x + cardWidth
    const middle = parent.y + cardHeight / 2
    // The edges leave the parent side by side, as the parts of one whole.
    let from = middle - children.reduce((sum, each) => sum + widthOf(each.node), 0) / 2
    for (const child of children) {
      const width = widthOf(child.node)
      const y0 = from + width / 2
      const y1 = child.y + cardHeight / 2
      const bend = x0 + (child.x - x0) * 0.55
      edges.push({
        id: child.node.id, width, contribution: child.node.contribution,
        path: `M${x0},${y0.toFixed(1)} C${bend.toFixed(1)},${y0.toFixed(1)} ${(x0 + (child.x - x0) * 0.45).toFixed(1)},${y1} ${child.x},${y1}`,
      })
      from += width
    }
    dots.push({ id: parent.node.id, x: x0, y: middle, sign: signs[parent.node.op] })
  }
  return { edges, dots }
}

export type Tone = 'good' | 'bad' | 'flat'

/** tone says whether a movement is welcome: by desirability, not by direction. */
export function tone(delta: number | null, better: 'up' | 'down'): Tone {
  if (delta === null || delta === 0) return 'flat'
  return delta > 0 === (better === 'up') ? 'good' : 'bad'
}

export function rootOf(tree: Tree): TreeNode | undefined {
  return tree.nodes.find((node) => node.parent === '')
}

export function childrenOf(tree: Tree, id: string): TreeNode[] {
  return tree.nodes.filter((node) => node.parent === id)
}

/** leading names the driver to look at first: the larger of the biggest push and the biggest drag, or the root. */
export function leading(tree: Tree): string {
  const { push, drag } = tree.lede
  const larger = push === null ? drag : drag === null ? push : Math.abs(drag.contribution) > Math.abs(push.contribution) ? drag : push
  return larger?.node ?? rootOf(tree)?.id ?? ''
}

export interface Bar {
  key: string
  label: string
  from: number
  to: number
  kind: 'total' | 'change'
  delta: number
}

/** bridgeBars are the bridge's bars in order: before, each contribution on top of the one before it, now. */
export function bridgeBars(tree: Tree, startLabel: string, endLabel: string): Bar[] | null {
  const { before, value } = tree.lede
  if (before === null || value === null) return null
  let level = before
  const steps = tree.bridge.map((each): Bar => {
    const bar: Bar = { key: each.node, label: each.label, from: level, to: level + each.contribution, kind: 'change', delta: each.contribution }
    level = bar.to
    return bar
  })
  return [
    { key: 'before', label: startLabel, from: 0, to: before, kind: 'total', delta: before },
    ...steps,
    { key: 'now', label: endLabel, from: 0, to: value, kind: 'total', delta: value },
  ]
}

/** bridgeFloor is where the value axis starts: 0, or higher with a break mark where the changes are under a quarter of the total. */
export function bridgeFloor(bars: Bar[]): number {
  const levels = bars.flatMap((bar) => (bar.kind === 'total' ? [bar.to] : [bar.from, bar.to]))
  const low = Math.min(...levels)
  const high = Math.max(...levels)
  if (low <= 0 || high - low >= 0.25 * high || high === low) return Math.min(0, low)
  return low - (high - low) * 0.45
}
