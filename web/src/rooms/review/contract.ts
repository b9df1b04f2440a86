// The weekly review as the server tells it: GET /trees, /trees/{tree}, /trees/{tree}/weeks.
// Every number comes from the server, contributions included; this file only renames and checks.
import { Fields, type Json } from '../../api/decode'
import { get } from '../../api/client'
import { type Predicate, readPredicate } from '../../api/predicate'
import type { Wire } from '../../api/wire'
import type { Unit } from '../../format/format'

export const compares = ['previous', 'last_year', 'target'] as const
export type Compare = (typeof compares)[number]

export interface WeekValue {
  weekOf: string
  value: number | null
}

export interface TreeNode {
  id: string
  /** '' for the root */
  parent: string
  label: string
  shortLabel: string
  unit: Unit
  better: 'up' | 'down'
  op: 'sum' | 'product' | 'ratio' | 'mean' | 'input'
  now: number | null
  before: number | null
  target: number | null
  /** on the root's change, in the root's unit */
  contribution: number | null
  /** why now is undefined; '' where it is defined */
  reason: string
  beforeReason: string
  /** 13 weeks, oldest first */
  series: WeekValue[]
  mean4: number | null
  lastYear: number | null
  smallBase: boolean
  usualRange: { low: number; high: number; inside: boolean } | null
  owner: { id: string; name: string } | null
  complete: boolean
  formula: string
  definition: string
  drill: { object: string; filter: Predicate | null } | null
}

export interface Edge {
  from: string
  to: string
  op: string
}

/** A driver that the lede or the bridge names, with its contribution to the root's change. */
export interface Share {
  node: string
  label: string
  contribution: number
}

export interface Tree {
  tree: string
  label: string
  week: { of: string; number: number; complete: boolean; daysElapsed: number }
  compare: { kind: Compare; weekOf: string; label: string }
  zone: string
  currency: string
  split: string
  splits: { name: string; label: string }[]
  asOf: { position: number; toldAt: string }
  provisional: boolean
  provisionalReason: string
  /** what was left out of the numbers, counted */
  warnings: string[]
  lede: {
    value: number | null
    before: number | null
    change: number | null
    changeShare: number | null
    targetShare: number | null
    push: Share | null
    drag: Share | null
  }
  nodes: TreeNode[]
  edges: Edge[]
  bridge: Share[]
}

export interface TreeName {
  name: string
  label: string
  splits: { name: string; label: string }[]
}

const named = (each: Fields<Wire['TreeNamedLabel']>): { name: string; label: string } => ({ name: each.text('name'), label: each.text('label') })

const share = (each: Fields<Wire['TreeContributor']>): Share => ({ node: each.text('node'), label: each.text('label'), contribution: each.number('contribution') })

const weekValue = (each: Fields<Wire['TreePoint']>): WeekValue => ({ weekOf: each.text('week_of'), value: each.numberOr('value', null) })

function decodeNode(node: Fields<Wire['TreeNode']>): TreeNode {
  return {
    id: node.text('id'),
    parent: node.textOr('parent', ''),
    label: node.text('label'),
    shortLabel: node.textOr('short_label', node.text('label')),
    unit: node.oneOf('unit', ['money', 'count', 'share']),
    better: node.has('better') ? node.oneOf('better', ['up', 'down']) : 'up',
    op: node.oneOf('op', ['sum', 'product', 'ratio', 'mean', 'input']),
    now: node.numberOr('now', null),
    before: node.numberOr('before', null),
    target: node.numberOr('target', null),
    contribution: node.numberOr('contribution', null),
    reason: node.textOr('reason', ''),
    beforeReason: node.textOr('before_reason', ''),
    series: node.list('series', weekValue),
    mean4: node.numberOr('mean4', null),
    lastYear: node.numberOr('last_year', null),
    smallBase: node.flag('small_base'),
    usualRange: node.objectOr('usual_range', (range) => ({ low: range.number('low'), high: range.number('high'), inside: range.flag('inside') }), null),
    owner: node.objectOr('owner', (owner) => ({ id: owner.textOr('id', ''), name: owner.textOr('name', '') }), null),
    complete: node.has('complete') ? node.flag('complete') : true,
    formula: node.textOr('formula', ''),
    definition: node.textOr('definition', ''),
    drill: node.objectOr('drill', (drill) => ({ object: drill.text('object'), filter: readPredicate(drill.json('filter')) }), null),
  }
}

export function decodeTree(body: Json): Tree {
  const tree = new Fields<Wire['Tree']>(body, 'tree')
  return {
    tree: tree.text('tree'),
    label: tree.text('label'),
    week: tree.object('week', (week) => ({
      of: week.text('of'), number: week.number('number'),
      complete: week.flag('complete'), daysElapsed: week.numberOr('days_elapsed', 7),
    })),
    compare: tree.object('compare', (compare) => ({
      kind: compare.oneOf('kind', compares), weekOf: compare.textOr('week_of', ''), label: compare.textOr('label', ''),
    })),
    zone: tree.text('zone'),
    currency: tree.text('currency'),
    split: tree.textOr('split', ''),
    splits: tree.list('splits', named),
    asOf: tree.object('as_of', (asOf) => ({ position: asOf.numberOr('position', 0), toldAt: asOf.textOr('told_at', '') })),
    provisional: tree.flag('provisional'),
    provisionalReason: tree.textOr('provisional_reason', ''),
    warnings: tree.texts('warnings'),
    lede: tree.object('lede', (lede) => ({
      value: lede.numberOr('value', null),
      before: lede.numberOr('before', null),
      change: lede.numberOr('change', null),
      changeShare: lede.numberOr('change_share', null),
      targetShare: lede.numberOr('target_share', null),
      push: lede.objectOr('push', share, null),
      drag: lede.objectOr('drag', share, null),
    })),
    nodes: tree.list('nodes', decodeNode),
    edges: tree.list('edges', (edge) => ({ from: edge.text('from'), to: edge.text('to'), op: edge.textOr('op', '') })),
    bridge: tree.list('bridge', share),
  }
}

export const treesKey = ['trees'] as const

export async function fetchTrees(signal?: AbortSignal): Promise<TreeName[]> {
  const body = new Fields<Wire['TreeList']>(await get('/trees', undefined, signal), 'trees')
  return body.list('trees', (tree) => ({ name: tree.text('name'), label: tree.text('label'), splits: tree.list('splits', named) }))
}

export const weeksKey = (tree: string): readonly unknown[] => ['trees', tree, 'weeks']

/** fetchWeeks lists the weeks that have numbers, oldest first. */
export async function fetchWeeks(tree: string, signal?: AbortSignal): Promise<WeekValue[]> {
  const body = new Fields<Wire['WeekList']>(await get(`/trees/${tree}/weeks`, undefined, signal), 'weeks')
  return body.list('weeks', weekValue).sort((a, b) => a.weekOf.localeCompare(b.weekOf))
}

export interface TreeQuery {
  tree: string
  weekOf: string
  compare: Compare
  split: string
}

export const treeKey = (query: TreeQuery): readonly unknown[] => ['trees', query.tree, 'week', query]

export async function fetchTree(query: TreeQuery, signal?: AbortSignal): Promise<Tree> {
  return decodeTree(await get(`/trees/${query.tree}`, { week_of: query.weekOf, compare: query.compare, split: query.split }, signal))
}
