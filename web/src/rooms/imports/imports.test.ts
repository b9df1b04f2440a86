import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fields, type Json } from '../../api/decode'
import { problemFrom, explain, sentence } from '../../api/problem'
import { decodeImport, decodePreview, done, importForm } from './contract'

const wire = (more: Record<string, Json> = {}): Fields => new Fields({
  id: 7, file_name: 'sales_pipeline.csv', object: 'deal', state: 'running', dry_run: false, rows_read: 2200, rows_total: 8800, bytes_read: 100, bytes_total: 1000,
  created: 2100, updated: 0, unchanged: 0, refused: 3, notes: [{ text: 'deals without an account', count: 1425 }], created_at: '2017-06-26T00:00:00.000Z', finished_at: null, by: { id: 'user_1', name: 'Ada' }, ...more,
}, 'import')

test('an import is read whole, its id as text', () => {
  const item = decodeImport(wire())
  assert.equal(item.id, '7')
  assert.equal(item.finishedAt, '')
  assert.deepEqual(item.notes, [{ text: 'deals without an account', count: 1425 }])
  assert.throws(() => decodeImport(wire({ state: 'asleep' })), /import\.state/)
})

test('progress goes by rows, else by bytes, else is not known', () => {
  assert.equal(done(decodeImport(wire())), 0.25)
  assert.equal(done(decodeImport(wire({ rows_total: null }))), 0.1)
  assert.equal(done(decodeImport(wire({ rows_total: null, bytes_total: 0 }))), null)
  assert.equal(done(decodeImport(wire({ state: 'done' }))), 1)
})

test('the form has its small fields before the file, and no mapping where none was given', () => {
  const names = [...importForm(new File(['a'], 'a.csv'), ' ', true).keys()]
  assert.deepEqual(names, ['dry_run', 'file'])
  assert.deepEqual([...importForm(new File(['a'], 'a.csv'), 'object: deal', false).keys()], ['mapping', 'dry_run', 'file'])
})

test('problems say what, why and what to do', () => {
  const problem = problemFrom(422, { detail: '2 fields need attention', code: 'invalid', details: [{ field: 'name', message: 'must be filled' }], remedy: 'Fill it.', request_id: 'ab12' }, null)
  assert.deepEqual(problem.fieldErrors(), { name: 'must be filled' })
  assert.deepEqual(explain(problem), { message: '2 fields need attention; name: must be filled.', remedy: 'Fill it.', requestId: 'ab12' })
  assert.equal(problemFrom(503, null, 'cd34').requestId, 'cd34')
  assert.match(explain(problemFrom(0, null, null)).message, /cannot be reached/)
  assert.equal(sentence('stage is missing'), 'Stage is missing.')
})

test('a preview tells the fate of rows, and what is wrong with the mapping as sentences', () => {
  const preview = decodePreview({
    mapping: 'records: []', draft: { records: [] }, columns: [{ name: 'Company', samples: ['Alder'] }], rows: [{ row: 2, fate: 'refused', reason: 'it is empty', cells: ['Alder'] }], created: 0, updated: 0, unchanged: 0, refused: 1, notes: null,
    problem: { code: 'invalid', message: 'two things', details: [{ field: 'records[1].key', message: 'no such field' }, { message: 'no records' }] },
  })
  assert.deepEqual(preview.problems, ['records[1].key: no such field', 'no records'])
  assert.equal(preview.rows[0]?.reason, 'it is empty')
  assert.throws(() => decodePreview({ mapping: '', columns: [], rows: [{ row: 1, fate: 'lost', cells: [] }], created: 0, updated: 0, unchanged: 0, refused: 0 }), /fate/)
})
