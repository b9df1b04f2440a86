import { ContractError, type Json } from './decode'

export interface ProblemDetail {
  field: string | null
  message: string
  remedy?: string
}

/** Problem is a failed request as the server tells it (RFC 9457), or as the network does (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly remedy: string | null = null,
    readonly details: ProblemDetail[] = [],
    readonly requestId: string | null = null,
  ) {
    super(message)
    this.name = 'Problem'
  }

  /** fieldErrors gives the messages by field, for forms. */
  fieldErrors(): Record<string, string> {
    const out: Record<string, string> = {}
    if (this.field !== null) out[this.field] = this.message
    for (const detail of this.details) if (detail.field !== null) out[detail.field] = detail.message
    return out
  }
}

const calm: Record<number, string> = {
  0: 'Canopy cannot be reached. Nothing was lost; check the connection and try again.',
  401: 'You are not signed in.',
  403: 'Your role does not allow this.',
  404: 'It is not here, or not yours to see.',
  412: 'Somebody changed this in the meantime.',
  429: 'Too many requests at once. Wait a moment and try again.',
  503: 'This part of Canopy is not ready right now. Nothing was lost.',
}

export function problemFrom(status: number, body: Json, requestId: string | null): Problem {
  const fallback = calm[status] ?? `The server answered with ${status}.`
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return new Problem(status, 'internal', fallback, null, null, [], requestId)
  const text = (key: string): string | null => {
    const value = body[key]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const details: ProblemDetail[] = []
  for (const key of ['details', 'errors']) {
    const list = body[key]
    if (!Array.isArray(list)) continue
    for (const each of list) {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) continue
      const message = each['message']
      const field = each['field'] ?? each['location']
      const remedy = each['remedy']
      if (typeof message === 'string') details.push({ field: typeof field === 'string' ? field : null, message, ...(typeof remedy === 'string' && remedy !== '' ? { remedy } : {}) })
    }
  }
  return new Problem(status, text('code') ?? 'internal', text('detail') ?? text('message') ?? text('title') ?? fallback,
    text('field'), text('remedy'), details, text('request_id') ?? requestId)
}

/** explain turns anything thrown into what a person is told. */
export function explain(error: unknown): { message: string; remedy: string | null; requestId: string | null } {
  if (error instanceof Problem) {
    const more = error.details.filter((each) => each.message !== error.message)
      .map((each) => (each.field === null ? each.message : `${each.field}: ${each.message}`))
    return { message: sentence([error.message, ...more].join('; ')), remedy: error.remedy, requestId: error.requestId }
  }
  if (error instanceof ContractError) {
    return { message: `The server sent something this page does not understand (${error.message}).`, remedy: 'Reload the page; it may be from before an update.', requestId: null }
  }
  return { message: 'This page met an error of its own.', remedy: null, requestId: null }
}

/** sentence gives a server message (lower case, no full stop) the form of a sentence. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return trimmed
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
  return /[.!?…]$/.test(first) ? first : `${first}.`
}
