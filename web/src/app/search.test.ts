import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listSearch, loginSearch, reviewSearch } from './search'

/** given keeps what is not dropped. */
const given = (search: object): object => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined))

test('what is out of bounds is dropped, as undefined', () => {
  assert.deepEqual(given(reviewSearch({ week: '2017-06-26', compare: 'last_year', split: 'region', node: 'decided_deals.region=East', fold: ['a', 3], tree: 'b2b' })),
    { week: '2017-06-26', compare: 'last_year', split: 'region', node: 'decided_deals.region=East', fold: ['a'], tree: 'b2b' })
  const wrong = reviewSearch({ week: 'last week', compare: 'mars', split: '../..', node: 7, fold: 'x', tree: 'B2B;' })
  assert.deepEqual(given(wrong), {})
  assert.ok('week' in wrong, 'an undefined key hides what stands in the address')
})

test('a list keeps a filter, a sort and columns that can be ones', () => {
  const filter = { and: [{ field: 'status', op: 'eq', value: 'won' }] }
  assert.deepEqual(given(listSearch({ filter, sort: '-amount,name', cols: ['stage'], before: '2017-07-01T00:00:00Z', position: 12 })), { filter, sort: '-amount,name', cols: ['stage'], before: '2017-07-01T00:00:00Z', position: 12 })
  assert.deepEqual(given(listSearch({ filter: { drop: 'table' }, sort: 'a;b', cols: [], before: 'soon', position: -1 })), {})
})

test('after signing in a reader stays on this site', () => {
  assert.equal(loginSearch({ next: '/deals?sort=name' }).next, '/deals?sort=name')
  for (const next of ['//example.com/', '/\\example.com', 'https://example.com', 'javascript:alert(1)', '', 7]) assert.equal(loginSearch({ next }).next, undefined, String(next))
})
