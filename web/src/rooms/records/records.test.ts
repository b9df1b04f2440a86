import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fields } from '../../api/decode'
import { decodeObjects, type FieldInfo } from '../../api/objects'
import { all, parts, type Predicate, readPredicate } from '../../api/predicate'
import { decodeRecord, decodeRecordPage } from '../../api/records'
import { createFormat } from '../../format/format'
import { describe, referredIds } from './describe'
import { inputText, parseInput, writeValue } from './value'

const format = createFormat({ locale: 'en-US', currency: 'USD', zone: 'America/New_York' })
const plain = (text: string): string => text.replace(/\s/gu, ' ')

const objects = decodeObjects({
  objects: [
    {
      name: 'deal', label: 'Deal', plural: 'Deals', title: 'name', fields: [
        { name: 'name', kind: 'text', label: 'Name', required: true },
        { name: 'status', kind: 'picklist', label: 'Status', read_only: true, options: [{ value: 'won', label: 'Won' }, { value: 'lost', label: 'Lost' }] },
        { name: 'amount', kind: 'money', label: 'Amount' },
        { name: 'closed_at', kind: 'instant', label: 'Closed' },
        { name: 'owner', kind: 'reference', to: 'user', label: 'Owner' },
        { name: 'quantity', kind: 'number', scale: 2, label: 'Quantity' },
        { name: 'tags', kind: 'multi_pick', label: 'Tags', options: [{ value: 'a', label: 'Alpha' }, { value: 'b', label: 'Beta' }] },
      ],
    },
    { name: 'user', label: 'User', plural: 'Users', title: 'name', fields: [{ name: 'territory', kind: 'text', label: 'Territory' }] },
  ],
})
const deal = objects[0]
assert.ok(deal)
const field = (name: string): FieldInfo => {
  const found = deal.fields.find((each) => each.name === name)
  assert.ok(found)
  return found
}
const words = { objects, format, title: (id: string) => (id === 'user_3' ? 'Jana Schmidt' : undefined) }

test('predicates are read strictly', () => {
  assert.deepEqual(readPredicate('{"field":"status","op":"eq","value":"won"}'), { field: 'status', op: 'eq', value: 'won' })
  assert.deepEqual(readPredicate({ and: [{ not: { field: 'owner', op: 'is_empty' } }] }), { and: [{ not: { field: 'owner', op: 'is_empty' } }] })
  for (const wrong of ['{', 'null', 7, [], {}, { field: 'a' }, { field: 'a', op: 'like' }, { and: [{}] }, { field: 'a', op: 'related', where: 3 }]) {
    assert.equal(readPredicate(wrong), null, JSON.stringify(wrong))
  }
})

test('nested ands are one list of parts, and come back together', () => {
  const a: Predicate = { field: 'a', op: 'is_empty' }
  const b: Predicate = { or: [a, { field: 'b', op: 'not_empty' }] }
  assert.deepEqual(parts({ and: [a, { and: [b] }] }), [a, b])
  assert.deepEqual(parts(undefined), [])
  assert.equal(all([]), null)
  assert.deepEqual(all([a]), a)
  assert.deepEqual(all([a, b]), { and: [a, b] })
})

test('a predicate is said in words', () => {
  const said = (predicate: Predicate): string => plain(describe(predicate, deal, words))
  assert.equal(said({ field: 'status', op: 'in', value: ['won', 'lost'] }), 'Status is one of Won, Lost')
  assert.equal(said({ field: 'closed_at', op: 'in_week', value: '2017-06-26' }), 'Closed in the week Jun 26 – Jul 2, 2017')
  assert.equal(said({ field: 'closed_at', op: 'gte', value: '2017-06-26' }), 'Closed from Jun 26, 2017')
  assert.equal(said({ field: 'amount', op: 'gte', value: { amount: '1000', currency: 'USD' } }), 'Amount at least $1,000.00')
  assert.equal(said({ field: 'owner', op: 'eq', value: 'user_3' }), 'Owner is Jana Schmidt')
  assert.equal(said({ field: 'owner', op: 'related', where: { field: 'territory', op: 'eq', value: 'West' } }), 'Owner: Territory is West')
  assert.equal(said({ not: { or: [{ field: 'owner', op: 'is_empty' }, { field: 'status', op: 'eq', value: 'won' }] } }), 'not (Owner is empty or Status is Won)')
  assert.deepEqual(referredIds({ and: [{ field: 'owner', op: 'in', value: ['user_3', 'user_4'] }, { field: 'status', op: 'eq', value: 'won' }] }), ['user_3', 'user_4'])
})

test('values are written by their kind; empty is a dash', () => {
  assert.equal(writeValue(field('amount'), { amount: '1054.50', currency: 'USD' }, undefined, format), '$1,054.50')
  assert.equal(writeValue(field('amount'), null, undefined, format), '—')
  assert.equal(plain(writeValue(field('closed_at'), '2017-06-30T03:30:00.000Z', undefined, format)), 'Jun 29, 2017, 11:30 PM')
  assert.equal(writeValue(field('owner'), 'user_3', 'Jana Schmidt', format), 'Jana Schmidt')
  assert.equal(writeValue(field('tags'), ['a', 'b'], undefined, format), 'Alpha, Beta')
  assert.equal(writeValue(field('name'), '<b>not bold</b>', undefined, format), '<b>not bold</b>')
})

test('what is typed comes back as a value of the kind', () => {
  const context = { currency: 'USD', zone: 'America/New_York' }
  assert.deepEqual(parseInput(field('amount'), ' 1250.50 ', context), { ok: true, value: { amount: '1250.50', currency: 'USD' } })
  assert.equal(parseInput(field('amount'), '1,250', context).ok, false)
  assert.deepEqual(parseInput(field('quantity'), '−2.5', context), { ok: true, value: -2.5 })
  assert.deepEqual(parseInput(field('name'), '   ', context), { ok: true, value: null })
  assert.deepEqual(parseInput(field('closed_at'), '2017-06-29T23:30', context), { ok: true, value: '2017-06-30T03:30:00.000Z' })
  assert.deepEqual(parseInput(field('tags'), 'a,b', context), { ok: true, value: ['a', 'b'] })
  assert.equal(inputText(field('amount'), { amount: '12.00', currency: 'USD' }, String), '12.00')
  assert.equal(inputText(field('tags'), ['a', 'b'], String), 'a,b')
})

test('records keep their own words, and an answer that is not the contract is an error with its place', () => {
  const page = decodeRecordPage({
    items: [{ id: 'deal_1', object: 'deal', version: 3, created_at: 'x', updated_at: 'y', happened_at: 'z', deleted: false, fields: { closed_at: null, name: 'A' }, titles: { owner: 'Jana' } }],
    next_cursor: null, count: { value: 10000, capped: true },
  })
  assert.equal(page.items[0]?.fields['name'], 'A')
  assert.equal(page.items[0]?.titles['owner'], 'Jana')
  assert.deepEqual(page.count, { value: 10_000, capped: true })
  assert.throws(() => decodeRecord(new Fields({ id: 'deal_1', object: 'deal', version: '3' }, 'record')), /record\.version: not a number/)
  assert.throws(() => decodeRecordPage([]), /records: not an object/)
})
