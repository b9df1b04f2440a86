import { Fields, type Json } from './decode'
import { get } from './client'
import type { Role } from './me'
import type { Wire } from './wire'

export type Kind =
  | 'text' | 'long_text' | 'number' | 'money' | 'date' | 'instant' | 'picklist' | 'multi_pick' | 'boolean' | 'email' | 'phone'
  | 'url' | 'country' | 'address' | 'reference' | 'file' | 'formula' | 'score'

export interface FieldInfo {
  name: string
  kind: Kind
  label: string
  help: string
  required: boolean
  indexed: boolean
  readOnly: boolean
  /** what the server puts where nothing is given; '' for nothing */
  fallback: string
  options: { value: string; label: string; retired: boolean; aliases?: string[] }[]
  /** the object that a reference points to; '' for other kinds */
  to: string
  scale: number
  requiredFrom: string
  unique?: boolean
  /** who answers for what it holds */
  owner?: string
  /** added here by a change request */
  custom?: boolean
  /** the expression that its value follows from */
  formula?: string
  /** bytes that a file may have; 0 for other kinds */
  maxBytes?: number
  /** media types of files; any where it is empty */
  accept?: string[]
}

export interface ObjectInfo {
  name: string
  label: string
  plural: string
  help: string
  title: string
  writeBy: Role
  timelineOf: string[]
  owner?: string
  custom?: boolean
  fields: FieldInfo[]
}

const kinds: readonly Kind[] = ['text', 'long_text', 'number', 'money', 'date', 'instant', 'picklist', 'multi_pick', 'boolean', 'email',
  'phone', 'url', 'country', 'address', 'reference', 'file', 'formula', 'score']

export function decodeObjects(body: Json): ObjectInfo[] {
  return new Fields<Wire['Objects']>(body, 'objects').list('objects', (object) => ({
    name: object.text('name'),
    label: object.text('label'),
    plural: object.text('plural'),
    help: object.textOr('help', ''),
    title: object.text('title'),
    writeBy: object.has('write_by') ? object.oneOf('write_by', ['viewer', 'editor', 'administrator']) : 'editor',
    timelineOf: object.texts('timeline_of'),
    owner: object.textOr('owner', ''),
    custom: object.flag('custom'),
    fields: object.list('fields', (field) => ({
      name: field.text('name'),
      kind: field.oneOf('kind', kinds),
      label: field.text('label'),
      help: field.textOr('help', ''),
      required: field.flag('required'),
      indexed: field.flag('indexed'),
      readOnly: field.flag('read_only'),
      fallback: field.textOr('default', ''),
      options: field.list('options', (option) => ({ value: option.text('value'), label: option.text('label'), retired: option.flag('retired'), aliases: option.texts('aliases') })),
      to: field.textOr('to', ''),
      scale: field.numberOr('scale', 0),
      requiredFrom: field.textOr('required_from', ''),
      unique: field.flag('unique'),
      owner: field.textOr('owner', ''),
      custom: field.flag('custom'),
      formula: field.textOr('formula', ''),
      maxBytes: field.numberOr('max_bytes', 0),
      accept: field.texts('accept'),
    })),
  }))
}

export const objectsKey = ['objects'] as const

export async function fetchObjects(signal?: AbortSignal): Promise<ObjectInfo[]> {
  return decodeObjects(await get('/objects', undefined, signal))
}

export function fieldOf(object: ObjectInfo, name: string): FieldInfo | undefined {
  return object.fields.find((field) => field.name === name)
}
