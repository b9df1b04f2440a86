// Forms as their editor sees them: the questions are kept as JSON in one field of the record.
import type { Json } from '../../api/decode'
import type { Rec } from '../../api/records'

export interface Question {
  field: string
  label: string
  required: boolean
  progressive: boolean
}

/** readQuestions reads a form's questions; none where the text is no list. */
export function readQuestions(text: Json | undefined): Question[] {
  if (typeof text !== 'string') return []
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  return list.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null).map((each) => ({
    field: String(each['field'] ?? ''), label: typeof each['label'] === 'string' ? each['label'] : '', required: each['required'] === true, progressive: each['progressive'] === true,
  }))
}

/** writeQuestions is the text that readQuestions reads; what is not said is left out. */
export function writeQuestions(questions: Question[]): string {
  return JSON.stringify(questions.map(({ field, label, required, progressive }) => ({
    field, ...(label.trim() === '' ? {} : { label: label.trim() }), ...(required ? { required } : {}), ...(progressive ? { progressive } : {}),
  })))
}

export interface FormDraft {
  name: string
  slug: string
  intro: string
  thanks: string
  redirect: string
  origins: string
  source: string
  doubleOptIn: boolean
  active: boolean
  questions: Question[]
}

const textOf = (form: Rec | undefined, field: string, fallback = ''): string => {
  const value = form?.fields[field]
  return typeof value === 'string' ? value : fallback
}

export function draftOf(form: Rec | undefined): FormDraft {
  return {
    name: textOf(form, 'name'), slug: textOf(form, 'slug'), intro: textOf(form, 'intro'), thanks: textOf(form, 'thanks'), redirect: textOf(form, 'redirect'),
    origins: textOf(form, 'allowed_origins'), source: textOf(form, 'source', 'web form'), doubleOptIn: form?.fields['double_opt_in'] === true, active: form === undefined || form.fields['active'] === true,
    questions: form === undefined
      ? [{ field: 'name', label: '', required: true, progressive: false }, { field: 'email', label: '', required: true, progressive: false }]
      : readQuestions(form.fields['fields']),
  }
}

const orNull = (text: string): Json => (text.trim() === '' ? null : text.trim())

export function fieldsOf(draft: FormDraft): Record<string, Json> {
  return {
    name: orNull(draft.name), slug: orNull(draft.slug), intro: orNull(draft.intro), thanks: orNull(draft.thanks), redirect: orNull(draft.redirect), allowed_origins: orNull(draft.origins),
    source: orNull(draft.source), double_opt_in: draft.doubleOptIn, active: draft.active, fields: writeQuestions(draft.questions),
  }
}

/** fields of a lead that are Canopy's own business */
const notAsked = ['status', 'source', 'campaign', 'owner', 'team', 'territory', 'rejection_reason', 'external_id']
const askable = ['text', 'long_text', 'email', 'phone', 'url', 'country', 'picklist', 'number', 'date', 'boolean']

export const isAskable = (field: { name: string; kind: string; readOnly: boolean }): boolean => !field.readOnly && askable.includes(field.kind) && !notAsked.includes(field.name)

/** embedOf is the line that shows a form on another site. */
export const embedOf = (site: string, slug: string, name: string): string => `<script src="${site}/f/${slug}.js" data-title="${name.replaceAll('"', '&quot;')}"></script>`
