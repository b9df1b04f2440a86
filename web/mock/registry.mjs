// The registry as GET /objects tells it, read from the same files that the program embeds.
import { readdirSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'

const folder = new URL('../../models/standard/', import.meta.url)

export const objects = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort()
  .map((name) => load(readFileSync(new URL(name, folder), 'utf8')))
  .map((object) => ({ write_by: 'editor', ...object }))

export const byName = new Map(objects.map((object) => [object.name, object]))
export const fieldOf = (object, name) => byName.get(object).fields.find((field) => field.name === name)
