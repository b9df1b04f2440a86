import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'

/** recordPath is the address of a record's page. */
export function recordPath(object: string, id: string): string {
  return object === 'deal' ? `/deals/${id}` : `/records/${object}/${id}`
}

/** listPath is the address of an object's list. */
export function listPath(object: string): string {
  return object === 'deal' ? '/deals' : `/records/${object}`
}

export function newPath(object: string): string {
  return `${listPath(object)}/new`
}

/** titleOf names a record by its title field, or by its id where that is empty. */
export function titleOf(object: ObjectInfo, record: Rec): string {
  const title = record.fields[object.title]
  return typeof title === 'string' && title !== '' ? title : record.id
}

/** objectOf reads the object out of a public id: "deal_line_42" → "deal_line". */
export function objectOf(id: string): string {
  return id.replace(/_\d+$/, '')
}
