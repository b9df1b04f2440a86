import { send } from '../../api/client'
import { Fields, type Json } from '../../api/decode'
import { get } from '../../api/client'
import { decodeRecord, type Rec } from '../../api/records'
import type { Wire } from '../../api/wire'
import type { Kind } from '../../api/objects'

/** Draft is what a person asks for, in the words of the form. */
export interface Draft {
  what: 'field' | 'object'
  object: string
  label: string
  plural: string
  name: string
  kind: Kind
  help: string
  /** one option a line: "value" or "value: label = spelling, spelling" */
  options: string
  to: string
  scale: string
  formula: string
  indexed: boolean
  unique: boolean
}

/** nameOf makes a name of a label: "Paper budget (EUR)" → "paper_budget_eur". */
export function nameOf(label: string): string {
  const plain = label.normalize('NFKD').replace(/[^\x20-\x7e]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  return (/^[a-z]/.test(plain) ? plain : plain === '' ? '' : `f_${plain}`).slice(0, 48)
}

/** optionsOf reads the lines of a picklist's options. */
export function optionsOf(text: string): { value: string; label: string; aliases?: string[] }[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').map((line) => {
    const [head = '', ...rest] = line.split('=')
    const [value = '', ...label] = head.split(':')
    const aliases = rest.join('=').split(',').map((each) => each.trim()).filter((each) => each !== '')
    const said = label.join(':').trim()
    return { value: label.length === 0 ? nameOf(value) || value.trim() : value.trim(), label: said === '' ? value.trim() : said, ...(aliases.length === 0 ? {} : { aliases }) }
  })
}

/** definitionOf writes a draft as the server reads it. */
export function definitionOf(draft: Draft): string {
  if (draft.what === 'object') {
    const fields = [
      { name: 'name', kind: 'text', label: 'Name', required: true, indexed: true },
      { name: 'owner', kind: 'reference', to: 'user', label: 'Owner', indexed: true },
      { name: 'team', kind: 'reference', to: 'team', label: 'Team', indexed: true, follows: 'owner.team' },
    ]
    return JSON.stringify({ object: draft.name, new_object: { name: draft.name, label: draft.label, plural: draft.plural, help: draft.help, title: 'name', scope: { owner: 'owner', team: 'team' }, fields } })
  }
  const { kind } = draft
  const picks = kind === 'picklist' || kind === 'multi_pick'
  return JSON.stringify({
    object: draft.object,
    fields: [{
      name: draft.name, kind, label: draft.label,
      ...(draft.help === '' ? {} : { help: draft.help }),
      ...(picks ? { options: optionsOf(draft.options) } : {}),
      ...(kind === 'reference' ? { to: draft.to } : {}),
      ...((kind === 'number' || kind === 'formula') && draft.scale !== '' ? { scale: Number(draft.scale) } : {}),
      ...(kind === 'formula' ? { formula: draft.formula } : {}),
      ...(draft.indexed ? { indexed: true } : {}),
      ...(draft.unique ? { unique: true } : {}),
    }],
  })
}

export const requestsKey = ['records', 'field_request', 'all'] as const

export async function fetchRequests(signal?: AbortSignal): Promise<Rec[]> {
  const page = new Fields<Wire['RecordPage']>(await get('/records/field_request', { sort: '-created_at', limit: 100 }, signal), 'requests')
  return page.list('items', decodeRecord)
}

export async function ask(definition: string, reason: string, example: string): Promise<Rec> {
  const answer = await send('POST', '/records/field_request', { body: { fields: { definition, reason, example } } })
  return decodeRecord(new Fields<Wire['Record']>(answer.body, 'request'))
}

export async function decide(request: Rec, how: 'approve' | 'reject', reason: string): Promise<Rec> {
  const answer = await send('POST', `/field_requests/${request.id}/${how}`, { body: { reason }, headers: { 'if-match': `"${request.version}"` } })
  return decodeRecord(new Fields<Wire['Record']>(answer.body, 'request'))
}

export interface Progress {
  done: number
  refused: number
  problem: string
  over: boolean
}

export async function fetchProgress(id: string, signal?: AbortSignal): Promise<Progress> {
  const progress = new Fields<Wire['RequestProgress']>(await get(`/field_requests/${id}/progress`, undefined, signal), 'progress')
  return { done: progress.number('done'), refused: progress.number('refused'), problem: progress.textOr('problem', ''), over: progress.flag('over') }
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
