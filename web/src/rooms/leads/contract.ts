// Leads at work: what can be done with one, POST /leads/{id}/…, and which leads a tab shows.
import { send } from '../../api/client'
import { Fields, type Json } from '../../api/decode'
import type { Predicate } from '../../api/predicate'
import { decodeRecord, type Rec } from '../../api/records'
import type { Wire } from '../../api/wire'

export const tabs = ['waiting', 'working', 'incomplete', 'rejected'] as const
export type Tab = (typeof tabs)[number]

export const tabWords: Record<Tab, string> = { waiting: 'To accept', working: 'Being worked on', incomplete: 'Incomplete', rejected: 'Rejected' }

/** filterOf says which leads a tab shows: an incomplete lead stands under Incomplete only. */
export function filterOf(tab: Tab, owner: string | null): Predicate {
  const active: Predicate = { field: 'record_state', op: 'eq', value: 'active' }
  const parts: Record<Tab, Predicate[]> = {
    waiting: [active, { field: 'status', op: 'in', value: ['new', 'mql'] }],
    working: [active, { field: 'status', op: 'in', value: ['working', 'qualified'] }],
    incomplete: [{ field: 'record_state', op: 'eq', value: 'incomplete' }, { field: 'status', op: 'not_in', value: ['rejected', 'converted'] }],
    rejected: [{ field: 'status', op: 'eq', value: 'rejected' }],
  }
  return { and: owner === null ? parts[tab] : [...parts[tab], { field: 'owner', op: 'eq', value: owner }] }
}

export const sortOf: Record<Tab, string> = { waiting: 'response_due_at', working: 'response_due_at', incomplete: '-created_at', rejected: '-updated_at' }

const record = (body: Json): Rec => decodeRecord(new Fields<Wire['Record']>(body, 'lead'))

export async function acceptLead(id: string): Promise<Rec> {
  return record((await send('POST', `/leads/${id}/accept`)).body)
}

export async function rejectLead(id: string, reason: string): Promise<Rec> {
  return record((await send('POST', `/leads/${id}/reject`, { body: { reason } })).body)
}

export async function reassignLead(id: string): Promise<Rec> {
  return record((await send('POST', `/leads/${id}/reassign`, { body: {} })).body)
}

export interface Side {
  id?: string
  fields?: Record<string, Json>
}

export interface Conversion {
  account?: Side
  contact: Side
  deal?: Side
}

export interface Converted {
  contact: Rec | null
  deal: Rec | null
}

export async function convertLead(id: string, conversion: Conversion): Promise<Converted> {
  const side = (each: Side | undefined): Json => (each === undefined ? null : each.id !== undefined ? { id: each.id } : { fields: each.fields ?? {} })
  const body: Record<string, Json> = { contact: side(conversion.contact) }
  if (conversion.account !== undefined) body['account'] = side(conversion.account)
  if (conversion.deal !== undefined) body['deal'] = side(conversion.deal)
  const out = new Fields<Wire['ConvertedLead']>((await send('POST', `/leads/${id}/convert`, { body })).body, 'conversion')
  return { contact: out.objectOr('contact', decodeRecord, null), deal: out.objectOr('deal', decodeRecord, null) }
}

export async function undoConversion(id: string): Promise<number> {
  const out = new Fields<Wire['UndoneConversion']>((await send('POST', `/leads/${id}/undo-conversion`)).body, 'undo')
  return out.list('kept', () => null).length
}

export interface Tried {
  rule: string
  whyNot: string
  considered: { name: string; whyNot: string }[]
}

/** readTried reads who was considered for a lead out of its explanation; nothing where there is none. */
export function readTried(text: Json | undefined): Tried[] {
  if (typeof text !== 'string' || text === '') return []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return []
  }
  return Array.isArray(list) ? list.map((each) => decodeTried(new Fields<Wire['RuleTried']>(each, 'explanation'))) : []
}

export function decodeTried(tried: Fields<Wire['RuleTried']>): Tried {
  return {
    rule: tried.text('rule'), whyNot: tried.textOr('why_not', ''),
    considered: tried.has('considered') ? tried.list('considered', (one) => ({ name: one.text('name'), whyNot: one.textOr('why_not', '') })) : [],
  }
}

/** clockWords says how a clock stands: how long is left or how late it is, and whether that is bad. */
export function clockWords(dueAt: Json | undefined, stoppedAt: Json | undefined, now: number, span: (seconds: number) => string, stopWord = 'Answered'): { words: string; late: boolean } {
  const due = typeof dueAt === 'string' ? Date.parse(dueAt) : Number.NaN
  const stopped = typeof stoppedAt === 'string' ? Date.parse(stoppedAt) : Number.NaN
  if (Number.isNaN(due)) return { words: Number.isNaN(stopped) ? 'No clock' : stopWord, late: false }
  if (!Number.isNaN(stopped)) return stopped <= due ? { words: `${stopWord} in time`, late: false } : { words: `${stopWord} ${span((stopped - due) / 1000)} late`, late: true }
  return due >= now ? { words: `${span((due - now) / 1000)} left`, late: false } : { words: `${span((now - due) / 1000)} late`, late: true }
}

