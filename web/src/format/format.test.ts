import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addDays, createFormat, dayIn, initials, instantToZoned, zonedToInstant } from './format'

/** Intl parts words with narrow and unbreakable spaces; the tests read them as spaces. */
const plain = (text: string): string => text.replace(/\s/gu, ' ')

const us = createFormat({ locale: 'en-US', currency: 'USD', zone: 'America/New_York' })
const de = createFormat({ locale: 'de-DE', currency: 'EUR', zone: 'Europe/Berlin' })

test('money has three significant digits, small money its cents', () => {
  assert.equal(us.short('money', 508_234.5), '$508K')
  assert.equal(us.short('money', 15_900), '$15.9K')
  assert.equal(us.short('money', 1_234_567), '$1.23M')
  assert.equal(us.short('money', 852.4), '$852')
  assert.equal(us.short('money', 29.1), '$29.10')
  assert.equal(us.short('money', 0), '$0')
  assert.equal(us.short('money', null), '—')
})

test('signs are always written, and minus is U+2212', () => {
  assert.equal(us.signed('money', 15_900), '+$15.9K')
  assert.equal(us.signed('money', -67_200), '−$67.2K')
  assert.equal(us.signed('money', 0), '±$0')
  assert.equal(us.signed('count', -9), '−9')
  assert.equal(us.signed('share', 0.028), '+2.8 pt')
  assert.equal(us.signed('share', -0.034), '−3.4 pt')
})

test('a change of a share is in points, of anything else in percent', () => {
  assert.equal(us.change('share', 0.307, 0.279), '+2.8 pt')
  assert.equal(us.change('count', 29, 38), '−23.7%')
  assert.equal(us.change('money', 508, 492), '+3.3%')
  assert.equal(us.change('count', 5, 0), null, 'there is no percent of nothing')
  assert.equal(us.change('count', null, 3), null)
  assert.equal(us.change('money', -50, -100), '+50.0%', 'less of a loss is up')
})

test('exact values keep every digit', () => {
  assert.equal(us.exact('money', 508_234.5), '$508,234.50')
  assert.equal(us.exact('share', 0.30712), '30.71%')
  assert.equal(us.signedExact('money', -67_200.12), '−$67,200.12')
})

test('record money is exact over floats and knows its currency', () => {
  assert.equal(plain(us.money({ amount: '9007199254740993.01', currency: 'USD' })), '$9,007,199,254,740,993.01')
  assert.equal(plain(us.money({ amount: '1054', currency: 'JPY' })), '¥1,054')
  assert.equal(plain(us.money({ amount: '1.234', currency: 'BHD' })), 'BHD 1.234')
  assert.equal(plain(us.money({ amount: '-3.50', currency: 'EUR' })), '−€3.50')
})

test('another locale writes its own way', () => {
  assert.equal(plain(de.exact('money', 1054.5)), '1.054,50 €')
  assert.equal(plain(de.signed('share', -0.034)), '−3,4 pt')
})

test('weeks are seven calendar days, over a year edge too', () => {
  assert.equal(plain(us.week('2017-06-26')), 'Jun 26 – Jul 2, 2017')
  assert.equal(plain(us.week('2016-12-26')), 'Dec 26, 2016 – Jan 1, 2017')
  assert.equal(addDays('2017-02-27', 7), '2017-03-06')
})

test('days and wall clocks follow the zone over clock changes', () => {
  assert.equal(dayIn('America/New_York', new Date('2026-11-02T04:30:00Z')), '2026-11-01')
  assert.equal(dayIn('Asia/Kolkata', new Date('2026-11-01T19:00:00Z')), '2026-11-02')
  assert.equal(zonedToInstant('America/New_York', '2026-03-08T03:30'), '2026-03-08T07:30:00.000Z')
  assert.equal(zonedToInstant('America/New_York', '2026-11-01T12:00'), '2026-11-01T17:00:00.000Z')
  assert.equal(zonedToInstant('UTC', 'nonsense'), null)
  assert.equal(instantToZoned('Asia/Kolkata', new Date('2017-06-26T09:00:00Z')), '2017-06-26T14:30')
})

test('bytes and spans', () => {
  assert.equal(plain(us.bytes(640_000)), '640 kB')
  assert.equal(plain(us.bytes(12)), '12 byte')
  assert.equal(plain(us.span(42)), '42 sec')
  assert.equal(plain(us.span(5040)), '1 hr 24 min')
})

test('initials', () => {
  assert.equal(initials('Jana Maria Schmidt'), 'JS')
  assert.equal(initials('Cher'), 'C')
  assert.equal(initials(' '), '')
})
