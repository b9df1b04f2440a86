// Days as a worker means them: today in the workspace's zone, tomorrow, next week. Filters have no relative days, so the page works them out.
import type { Rec } from '../../api/records'
import { addDays, instantToZoned } from '../../format/format'

/** todayIn gives the calendar day of an instant in a zone: "2026-03-02". */
export function todayIn(zone: string, now: Date = new Date()): string {
  return instantToZoned(zone, now).slice(0, 10)
}

export type Due = 'overdue' | 'today' | 'later' | 'undated'

/** dueOf tells in which group a task stands. */
export function dueOf(task: Rec, today: string): Due {
  const due = task.fields['due_on']
  if (typeof due !== 'string') return 'undated'
  return due < today ? 'overdue' : due === today ? 'today' : 'later'
}

export interface Later {
  label: string
  day: string
}

/** laterDays offers the days to put a task off to: tomorrow, two days on, the next start of a week, a week on; each day once. */
export function laterDays(today: string, weekStart: string): Later[] {
  const names = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
  const weekday = new Date(`${today}T00:00:00Z`).getUTCDay()
  const start = Math.max(0, names.indexOf(weekStart.toLowerCase()))
  const toStart = (start - weekday + 7) % 7 || 7
  const all = [{ label: 'Tomorrow', day: addDays(today, 1) }, { label: 'In two days', day: addDays(today, 2) }, { label: 'Start of next week', day: addDays(today, toStart) }, { label: 'In a week', day: addDays(today, 7) }, { label: 'In four weeks', day: addDays(today, 28) }]
  return all.filter((each, i) => all.findIndex((other) => other.day === each.day) === i)
}
