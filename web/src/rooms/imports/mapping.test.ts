import assert from 'node:assert/strict'
import { test } from 'node:test'
import { change, constants, fieldOf, readDraft, readPairs, sendTo, writeDraft, writePairs } from './mapping'

const draft = readDraft({ dates: 'DD-MM-YYYY', records: [{ object: 'account', key: 'name', repeats: 'allow', fields: { name: { from: 'Company' }, type: { value: 'organisation' } } }] })

test('a draft keeps what the form does not know', () => {
  assert.ok(draft !== null)
  assert.equal(writeDraft(draft), 'dates: "DD-MM-YYYY"\nrecords:\n  - object: account\n    key: name\n    repeats: "allow"\n    fields:\n      name: {"from":"Company"}\n      type: {"value":"organisation"}\n')
  assert.equal(readDraft('text'), null)
  assert.equal(readDraft({ records: [{ fields: {} }] }), null)
})

test('a column goes into another field with its translation, and a key that lost its column is none', () => {
  const record = draft?.records[0]
  assert.ok(record !== undefined)
  assert.equal(fieldOf(record, 'Company'), 'name')
  const moved = sendTo(change(record, 'name', 'values', { a: 'b' }), 'Company', 'domain', '')
  assert.deepEqual([moved.key, moved.fields['domain'], moved.fields['name']], ['', { from: 'Company', values: { a: 'b' } }, undefined])
  assert.deepEqual(sendTo(record, 'Owner', 'owner', 'name').fields['owner'], { from: 'Owner', lookup: { by: 'name', missing: 'empty' } })
  assert.equal(fieldOf(sendTo(record, 'Company', '', ''), 'Company'), '')
  assert.deepEqual(constants(record), [['type', 'organisation']])
})

test('pairs are read and written', () => {
  assert.deepEqual(readPairs('UK = GB\n\nno pair\n a=b=c '), { UK: 'GB', a: 'b=c' })
  assert.equal(writePairs({ UK: 'GB' }), 'UK = GB')
})
