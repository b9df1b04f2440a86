import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rec } from '../../api/records'
import { dueOf, laterDays, todayIn } from './days'

const task = (due: string | null): Rec => ({ id: 'task_1', object: 'task', version: 1, createdAt: '', updatedAt: '', happenedAt: '', deleted: false, fields: { due_on: due }, titles: {} })

test('today is the day in the zone of the workspace', () => {
  const at = new Date('2026-03-08T06:30:00Z')
  assert.equal(todayIn('America/Los_Angeles', at), '2026-03-07')
  assert.equal(todayIn('Asia/Kolkata', at), '2026-03-08')
  assert.equal(todayIn('Pacific/Auckland', new Date('2026-03-08T11:30:00Z')), '2026-03-09')
})

test('tasks are overdue, of today, later or without a day', () => {
  assert.deepEqual(['2026-03-01', '2026-03-02', '2026-03-03', null].map((due) => dueOf(task(due), '2026-03-02')), ['overdue', 'today', 'later', 'undated'])
})

test('the next week starts where the workspace says, and no day is offered twice', () => {
  // 2026-03-01 is a Sunday.
  assert.deepEqual(laterDays('2026-03-01', 'monday').map(({ label, day }) => `${label} ${day}`), ['Tomorrow 2026-03-02', 'In two days 2026-03-03', 'In a week 2026-03-08', 'In four weeks 2026-03-29'])
  assert.equal(laterDays('2026-03-04', 'sunday').find((each) => each.label === 'Start of next week')?.day, '2026-03-08')
  assert.equal(laterDays('2026-03-02', 'monday').find((each) => each.label === 'Start of next week')?.day, '2026-03-09')
})
