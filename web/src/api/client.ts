import { type Json } from './decode'
import { Problem, problemFrom } from './problem'

const base = '/api/v1'

/** Query holds the parameters of a request; null, undefined and '' are left out. */
export type Query = Record<string, string | number | boolean | null | undefined>

export interface Answer {
  body: Json
  etag: string | null
  status: number
}

interface Options {
  query?: Query
  body?: Json | FormData
  headers?: Record<string, string>
  signal?: AbortSignal
}

let signedOut: () => void = () => undefined

/** onSignedOut is told when an answer says that the session has ended. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener
}

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return base + path + (text === '' ? '' : `?${text}`)
}

/** send makes one request. Anything but 2xx is thrown as a Problem; a lost connection is a Problem of status 0. */
export async function send(method: string, path: string, { query, body, headers, signal }: Options = {}): Promise<Answer> {
  const form = body instanceof FormData
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    headers: { accept: 'application/json', ...(body === undefined || form ? {} : { 'content-type': 'application/json' }), ...headers },
  }
  if (body !== undefined) init.body = form ? body : JSON.stringify(body)
  if (signal !== undefined) init.signal = signal
  let response: Response
  try {
    response = await fetch(address(path, query), init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw problemFrom(0, null, null)
  }
  return finish(response.status, await response.text(), response.headers.get('etag'), response.headers.get('x-request-id'), path)
}

function finish(status: number, text: string, etag: string | null, requestId: string | null, path: string): Answer {
  let body: Json = null
  if (text !== '') {
    try {
      body = JSON.parse(text) as Json // JSON.parse gives nothing else
    } catch {
      if (status >= 200 && status < 300) throw new Problem(status, 'internal', 'The server sent an answer that is not JSON.', null, null, [], requestId)
    }
  }
  if (status >= 200 && status < 300) return { body, etag, status }
  if (status === 401 && path !== '/session') signedOut()
  throw problemFrom(status, body, requestId)
}

export async function get(path: string, query?: Query, signal?: AbortSignal): Promise<Json> {
  const options: Options = {}
  if (query !== undefined) options.query = query
  if (signal !== undefined) options.signal = signal
  return (await send('GET', path, options)).body
}

/** upload posts a form and tells how much of it has left: fetch cannot say, so this is the one XMLHttpRequest. */
export function upload(path: string, form: FormData, onProgress: (sentBytes: number, totalBytes: number) => void): { done: Promise<Answer>; abort: () => void } {
  const request = new XMLHttpRequest()
  const done = new Promise<Answer>((resolve, reject) => {
    request.open('POST', base + path)
    request.setRequestHeader('accept', 'application/json')
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded, event.total))
    request.addEventListener('load', () => {
      try {
        resolve(finish(request.status, request.responseText, request.getResponseHeader('etag'), request.getResponseHeader('x-request-id'), path))
      } catch (error) {
        reject(error)
      }
    })
    request.addEventListener('error', () => reject(problemFrom(0, null, null)))
    request.addEventListener('abort', () => reject(new Problem(0, 'cancelled', 'The upload was stopped.')))
  })
  request.send(form)
  return { done, abort: () => request.abort() }
}

/** newKey makes an idempotency key: one per thing that a person does, kept over retries. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
