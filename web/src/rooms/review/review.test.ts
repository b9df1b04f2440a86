import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractError, type Json } from '../../api/decode'
import { decodeTree, type Tree } from './contract'
import { bridgeBars, bridgeFloor, childrenOf, layOut, leading, narrowest, tone, walk } from './layout'

const node = (id: string, parent: string | null, contribution: number | null, more: Record<string, Json> = {}): Json => ({
  id, parent, label: id, short_label: id, unit: 'count', better: 'up', op: 'input', now: 3, before: 2, target: null, contribution, reason: null,
  series: [{ week_of: '2017-06-26', value: null }], mean4: null, last_year: null, small_base: false, usual_range: null, owner: null, complete: true, ...more,
})

const wire = (more: Record<string, Json> = {}): Json => ({
  tree: 'b2b', label: 'B2B', week: { of: '2017-06-26', to: '2017-07-03', number: 26, label: 'Week 26', complete: true, days_elapsed: 7 },
  compare: { kind: 'previous', week_of: '2017-06-19', label: 'last week' }, zone: 'UTC', currency: 'USD', split: 'region', splits: [{ name: 'region', label: 'Region' }],
  as_of: { position: 9, told_at: '2017-07-03T00:00:00.000Z' }, provisional: false, provisional_reason: null,
  lede: { value: 110, before: 100, change: 10, change_share: 0.1, target_share: null, push: { node: 'a', label: 'A', contribution: 14 }, drag: { node: 'c', label: 'C', contribution: -4 } },
  nodes: [node('root', null, 10, { op: 'product', unit: 'money' }), node('a', 'root', 14), node('b', 'root', -4, { op: 'sum' }), node('c', 'b', -4), node('d', 'b', 0)],
  edges: [{ from: 'root', to: 'a', op: 'product' }], bridge: [{ node: 'a', label: 'A', contribution: 14 }, { node: 'c', label: 'C', contribution: -4 }], ...more,
})
const tree = (): Tree => decodeTree(wire())

test('the wire form becomes camelCase; null stays null', () => {
  const read = tree()
  assert.equal(read.week.daysElapsed, 7)
  assert.equal(read.lede.changeShare, 0.1)
  assert.equal(read.lede.targetShare, null)
  assert.equal(read.nodes[0]?.parent, '')
  assert.equal(read.nodes[0]?.series[0]?.value, null)
  assert.equal(read.nodes[1]?.drill, null)
})

test('an answer that is not the contract names its place', () => {
  assert.throws(() => decodeTree(wire({ nodes: [node('root', null, 1, { unit: 'euro' })] })), (error) => error instanceof ContractError && /tree\.nodes\[0\]\.unit/.test(error.message))
  assert.throws(() => decodeTree(wire({ week: null })), /tree\.week: not an object/)
})

test('the walk is in reading order, with level, place and fold', () => {
  assert.deepEqual(walk(tree(), new Set()).map((each) => [each.node.id, each.level, each.place, each.siblings]), [['root', 1, 1, 1], ['a', 2, 1, 2], ['b', 2, 2, 2], ['c', 3, 1, 2], ['d', 3, 2, 2]])
  const folded = walk(tree(), new Set(['b']))
  assert.deepEqual(folded.map((each) => each.node.id), ['root', 'a', 'b'])
  assert.equal(folded[2]?.folded, true)
  assert.equal(narrowest(tree(), new Set()), 808)
  assert.equal(narrowest(tree(), new Set(['b'])), 524)
})

test('cards do not overlap, parents stand amid their children, edges are as wide as their contribution', () => {
  const { places, edges, dots, height } = layOut(tree(), new Set(), 838)
  const at = new Map(places.map((each) => [each.node.id, each]))
  for (const a of places) for (const b of places) if (a !== b && a.x === b.x) assert.ok(Math.abs(a.y - b.y) >= 76, `${a.node.id} over ${b.node.id}`)
  const b = at.get('b')
  assert.equal(b?.y, ((at.get('c')?.y ?? 0) + (at.get('d')?.y ?? 0)) / 2)
  assert.equal(edges.find((edge) => edge.id === 'a')?.width, 14)
  assert.equal(edges.find((edge) => edge.id === 'b')?.width, 4)
  assert.equal(edges.find((edge) => edge.id === 'd')?.width, 1.25)
  assert.deepEqual(dots.map((dot) => dot.sign), ['×', '+'])
  assert.ok(places.every((each) => each.y + 76 <= height && each.x + 240 <= 838))
})

test('good is what is wished for, not what goes up', () => {
  assert.equal(tone(1, 'up'), 'good')
  assert.equal(tone(1, 'down'), 'bad')
  assert.equal(tone(-1, 'down'), 'good')
  assert.equal(tone(0, 'up'), 'flat')
  assert.equal(tone(null, 'up'), 'flat')
})

test('the first node to look at is the larger of push and drag', () => {
  assert.equal(leading(tree()), 'a')
  assert.equal(leading({ ...tree(), lede: { ...tree().lede, push: null } }), 'c')
  assert.equal(leading({ ...tree(), lede: { ...tree().lede, push: null, drag: null } }), 'root')
})

test('the bridge closes, and cuts its axis only for small changes', () => {
  const bars = bridgeBars(tree(), 'Last week', 'This week')
  assert.ok(bars)
  assert.deepEqual(bars.map((bar) => [bar.from, bar.to]), [[0, 100], [100, 114], [114, 110], [0, 110]])
  assert.ok(bridgeFloor(bars) > 0, 'changes of 14 on 114 cut the axis')
  const wide = bridgeBars({ ...tree(), lede: { ...tree().lede, before: 20, value: 30 } }, '', '')
  assert.ok(wide)
  assert.equal(bridgeFloor(wide), 0)
  assert.equal(bridgeBars({ ...tree(), lede: { ...tree().lede, value: null } }, '', ''), null)
  assert.deepEqual(childrenOf(tree(), 'b').map((each) => each.id), ['c', 'd'])
})
