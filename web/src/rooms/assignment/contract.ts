// Assignment rules as a draft, and what the draft would have done: POST /assignment/simulate.
import { send } from '../../api/client'
import { Fields, type Json } from '../../api/decode'
import type { Rec } from '../../api/records'
import type { Wire } from '../../api/wire'
import { decodeTried, type Tried } from '../leads/contract'

/** fields of a rule that a draft sends: what is written by rules only stays away */
const sent = ['name', 'rank', 'active', 'conditions', 'method', 'person', 'candidates', 'by_territory', 'by_language', 'by_expertise', 'max_open', 'calendar', 'response_minutes']

export interface Draft {
  rule: Rec
  active: boolean
  method: string
  maxOpen: string
}

export const draftOf = (rule: Rec): Draft => ({
  rule, active: rule.fields['active'] === true, method: String(rule.fields['method'] ?? 'round_robin'), maxOpen: rule.fields['max_open'] === null || rule.fields['max_open'] === undefined ? '' : String(rule.fields['max_open']),
})

/** changesOf says what a draft changes in its rule, at a place counted from 1. */
export function changesOf(draft: Draft, place: number): Record<string, Json> {
  const maxOpen = draft.maxOpen.trim() === '' ? null : Number(draft.maxOpen)
  const wanted: Record<string, Json> = { active: draft.active, method: draft.method, max_open: maxOpen, rank: place }
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => (draft.rule.fields[name] ?? null) !== value))
}

export interface Simulation {
  leads: number
  capped: boolean
  same: number
  nobody: number
  people: { id: string; name: string; would: number; did: number; mostOpen: number }[]
  rows: { id: string; title: string; at: string; has: string; would: string; reason: string; tried: Tried[] }[]
  notes: string[]
}

export async function simulate(drafts: Draft[], days: number): Promise<Simulation> {
  const rules = drafts.map((draft, i) => {
    const fields: Record<string, Json> = Object.fromEntries(sent.filter((name) => draft.rule.fields[name] !== undefined).map((name) => [name, draft.rule.fields[name] ?? null]))
    return { ...fields, ...changesOf(draft, i + 1) }
  })
  const out = new Fields<Wire['AssignmentSimulation']>((await send('POST', '/assignment/simulate', { body: { days, rules } })).body, 'simulation')
  return {
    leads: out.number('leads'), capped: out.flag('capped'), same: out.number('same'), nobody: out.number('nobody'), notes: out.texts('notes'),
    people: out.list('people', (one) => ({ id: one.text('id'), name: one.text('name'), would: one.number('would'), did: one.number('did'), mostOpen: one.number('most_open') })),
    rows: out.list('rows', (row) => ({
      id: row.text('id'), title: row.text('title'), at: row.text('at'), has: row.textOr('has', ''), would: row.textOr('would', ''), reason: row.text('reason'), tried: row.list('tried', decodeTried),
    })),
  }
}
