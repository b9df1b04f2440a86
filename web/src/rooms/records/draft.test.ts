import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeObjects } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import { type DraftGroup, draftOf, filterFields, newCondition, newGroup, operatorsFor, predicateOf, replaced, takesMany, valueField } from './draft'

const [object] = decodeObjects({
  objects: [{
    name: 'deal', label: 'Deal', plural: 'Deals', title: 'name', fields: [
      { name: 'name', kind: 'text', label: 'Name' },
      { name: 'notes', kind: 'long_text', label: 'Notes' },
      { name: 'status', kind: 'picklist', label: 'Status', options: [{ value: 'won', label: 'Won' }, { value: 'lost', label: 'Lost' }] },
      { name: 'tags', kind: 'multi_pick', label: 'Tags', options: [{ value: 'a', label: 'Alpha' }, { value: 'b', label: 'Beta' }] },
      { name: 'amount', kind: 'money', label: 'Amount' },
      { name: 'seats', kind: 'number', label: 'Seats', scale: 1 },
      { name: 'closed_at', kind: 'instant', label: 'Closed' },
      { name: 'close_on', kind: 'date', label: 'Closes' },
      { name: 'active', kind: 'boolean', label: 'Active' },
      { name: 'owner', kind: 'reference', to: 'user', label: 'Owner' },
      { name: 'place', kind: 'address', label: 'Place' },
      { name: 'fit', kind: 'score', label: 'Fit' },
    ],
  }],
})
assert.ok(object)
const context = { object, currency: 'USD', zone: 'America/New_York', toWall: (at: string) => at.slice(0, 16) }
const again = (predicate: Predicate | null): unknown => predicateOf(draftOf(predicate, context), context)

test('what is opened and not changed is the same filter again', () => {
  const filters: Predicate[] = [
    { field: 'name', op: 'contains', value: 'a, "b" <c>' },
    { field: 'status', op: 'in', value: ['won', 'lost'] },
    { field: 'status', op: 'not_in', value: ['won'] },
    { field: 'tags', op: 'has', value: 'a' },
    { field: 'tags', op: 'has_any', value: ['a', 'b'] },
    { field: 'amount', op: 'gte', value: { amount: '1000.50', currency: 'USD' } },
    { field: 'seats', op: 'lt', value: -2.5 },
    { field: 'closed_at', op: 'in_week', value: '2026-03-02' },
    { field: 'close_on', op: 'on', value: '2026-03-02' },
    { field: 'active', op: 'eq', value: false },
    { field: 'owner', op: 'eq', value: 'user_3' },
    { field: 'place', op: 'not_empty' },
    { field: 'created_at', op: 'gte', value: '2026-01-01' },
    { and: [{ field: 'status', op: 'eq', value: 'won' }, { or: [{ field: 'owner', op: 'is_empty' }, { and: [{ field: 'name', op: 'eq', value: 'x' }, { field: 'active', op: 'eq', value: true }] }] }] },
  ]
  for (const filter of filters) assert.deepEqual(again(filter), { ok: true, predicate: filter }, JSON.stringify(filter))
  assert.deepEqual(again(null), { ok: true, predicate: null })
})

test('what has no inputs is kept whole', () => {
  for (const filter of [
    { not: { field: 'owner', op: 'is_empty' } },
    { field: 'owner', op: 'related', where: { field: 'name', op: 'eq', value: 'x' } },
    { field: 'amount', op: 'gte', value: { amount: '1000', currency: 'EUR' } },
    { field: 'closed_at', op: 'gte', value: '2026-03-02T10:00:00.000Z' },
    { field: 'gone', op: 'eq', value: 'x' },
  ] satisfies Predicate[]) {
    const draft = draftOf(filter, context)
    assert.equal(draft.items[0]?.kind, 'fixed', JSON.stringify(filter))
    assert.deepEqual(predicateOf(draft, context), { ok: true, predicate: filter })
  }
})

test('errors are told by their condition', () => {
  const condition = { ...newCondition(object), field: 'amount', op: 'gt' as const, text: '1,000' }
  const blank = { ...newCondition(object), field: 'status', op: 'in' as const, text: ' ' }
  const draft: DraftGroup = { kind: 'group', key: 'root', join: 'or', items: [condition, blank] }
  const read = predicateOf(draft, context)
  assert.ok(!read.ok)
  assert.deepEqual(Object.keys(read.errors), [condition.key, blank.key])
})

test('empty groups ask nothing, and a group of one is that one', () => {
  const inner = { ...newGroup(object, 'or'), items: [] }
  const one = { ...newCondition(object), field: 'name', op: 'eq' as const, text: ' Acme ' }
  const draft: DraftGroup = { kind: 'group', key: 'root', join: 'and', items: [inner, one] }
  assert.deepEqual(predicateOf(draft, context), { ok: true, predicate: { field: 'name', op: 'eq', value: 'Acme' } })
  assert.deepEqual(predicateOf({ ...draft, items: [inner] }, context), { ok: true, predicate: null })
})

test('items are changed and taken away where they stand', () => {
  const group = newGroup(object, 'or')
  const draft: DraftGroup = { kind: 'group', key: 'root', join: 'and', items: [group] }
  const first = group.items[0]
  assert.ok(first?.kind === 'condition')
  const changed = replaced(draft, first.key, { ...first, text: 'x' })
  assert.deepEqual(predicateOf(changed, context), { ok: true, predicate: { field: 'name', op: 'contains', value: 'x' } })
  assert.deepEqual(replaced(draft, first.key, null).items, [{ ...group, items: [] }])
})

test('every kind of field can be asked for, with an input for its value', () => {
  for (const field of filterFields(object)) {
    const operators = operatorsFor(field)
    assert.ok(operators.length >= 2, field.name)
    for (const op of operators) assert.notEqual(valueField(field, op).kind, takesMany(op) ? 'picklist' : 'long_text')
  }
})
