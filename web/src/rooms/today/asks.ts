// What Today asks the server. Each list is asked only where the registry has its object and fields: a workspace without leads has no clocks.
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { all, type Predicate } from '../../api/predicate'
import type { ListQuery } from '../../api/records'
import { addDays } from '../../format/format'

export interface Asks {
  /** open tasks that are overdue or due today */
  due: ListQuery | null
  /** the next tasks, for a day on which nothing is due */
  next: ListQuery | null
  /** leads that wait for their first answer */
  clocks: ListQuery | null
  /** handoffs that nobody has taken */
  handoffs: ListQuery | null
  /** open deals without a next step, or with one that has passed, or that the stagnation policy has found */
  stuck: ListQuery | null
  /** deals won and lost in the last seven days */
  closed: ListQuery | null
  /** what others did in the last seven days with the reader's accounts */
  heard: ListQuery | null
}

/** asks gives the questions of one person's day (of everybody's for null), for a day in the workspace's zone. */
export function asks(objects: ObjectInfo[], user: string | null, today: string): Asks {
  const has = (object: string, ...fields: string[]): boolean => {
    const found = objects.find((each) => each.name === object)
    return found !== undefined && fields.every((name) => fieldOf(found, name) !== undefined)
  }
  const mine = (field = 'owner'): Predicate[] => (user === null ? [] : [{ field, op: 'eq', value: user }])
  const open: Predicate = { field: 'status', op: 'eq', value: 'open' }
  const since = addDays(today, -7)
  const stuck: Predicate[] = [
    { field: 'next_step', op: 'is_empty' },
    ...(has('deal', 'next_step_on') ? [{ field: 'next_step_on', op: 'lt' as const, value: today }] : []),
    ...(has('deal', 'stagnation') ? [{ field: 'stagnation', op: 'in' as const, value: ['nudged', 'reengage'] }] : []),
  ]
  const heardOf: Predicate[] = user === null ? [] : [{ field: 'owner', op: 'ne', value: user }, { field: 'account', op: 'related', where: { field: 'owner', op: 'eq', value: user } }]
  return {
    due: has('task', 'due_on') ? { filter: all([open, ...mine(), { field: 'due_on', op: 'lt', value: addDays(today, 1) }]), sort: 'due_on', limit: 12 } : null,
    next: has('task', 'due_on') ? { filter: all([open, ...mine(), { field: 'due_on', op: 'gte', value: addDays(today, 1) }]), sort: 'due_on', limit: 5 } : null,
    clocks: has('lead', 'response_due_at', 'first_response_at')
      ? { filter: all([...mine(), { field: 'response_due_at', op: 'not_empty' }, { field: 'first_response_at', op: 'is_empty' }, { field: 'status', op: 'in', value: ['new', 'mql', 'working'] }]), sort: 'response_due_at', limit: 8 } : null,
    handoffs: has('handoff', 'state', 'to', 'due_at') ? { filter: all([{ field: 'state', op: 'eq', value: 'open' }, ...mine('to')]), sort: 'due_at', limit: 8 } : null,
    stuck: has('deal', 'next_step') ? { filter: all([open, ...mine(), { or: stuck }]), sort: '-amount', limit: 8 } : null,
    closed: has('deal', 'closed_at') ? { filter: all([...mine(), { field: 'closed_at', op: 'gte', value: since }]), sort: '-closed_at', limit: 6 } : null,
    heard: has('activity', 'done_at') ? { filter: all([{ field: 'done_at', op: 'gte', value: since }, ...heardOf]), sort: '-done_at', limit: 6 } : null,
  }
}
