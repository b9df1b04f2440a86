// Which columns and which order a list has where nobody chose.
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { metaFields } from './describe'

/** Columns that say most about an object; others are chosen on the page. */
const usualColumns: Record<string, string[]> = {
  deal: ['amount', 'stage', 'account', 'owner', 'product', 'expected_close_on', 'closed_at'],
  account: ['sector', 'country', 'annual_revenue', 'owner', 'territory'],
  contact: ['email', 'phone', 'job_title', 'account', 'owner'],
  lead: ['company', 'status', 'source', 'owner'],
  task: ['status', 'due_on', 'deal', 'account', 'owner'],
  activity: ['type', 'outcome', 'done_at', 'account', 'contact', 'owner'],
  ticket: ['status', 'severity', 'account', 'contact', 'opened_at', 'owner'],
  order: ['status', 'total', 'account', 'ordered_at', 'owner'],
}
const usualSort: Record<string, string> = { deal: '-amount', activity: '-done_at', ticket: '-opened_at', order: '-ordered_at', task: 'due_on' }

/** usualSortOf is the order that a list starts with; '' is that of creation. */
export function usualSortOf(object: ObjectInfo): string {
  const sort = usualSort[object.name] ?? ''
  return fieldOf(object, sort.replace(/^-/, '')) === undefined ? '' : sort
}

/** columnField finds a field of the object, or a column that every record has. */
export function columnField(object: ObjectInfo, name: string): FieldInfo | undefined {
  return fieldOf(object, name) ?? metaFields.find((each) => each.name === name)
}

/** columnsOf gives the chosen columns, or those that say most; names that the object does not have are passed over. */
export function columnsOf(object: ObjectInfo, chosen: string[] | null | undefined): FieldInfo[] {
  const known = (names: string[]): FieldInfo[] => names.map((name) => columnField(object, name)).filter((field) => field !== undefined)
  if (chosen !== null && chosen !== undefined) return known(chosen)
  const usual = known(usualColumns[object.name] ?? [])
  return usual.length > 0 ? usual : object.fields.filter((field) => field.kind !== 'long_text' && field.name !== object.title).slice(0, 5)
}

/** boardFields lists the fields by whose values a board can be made: open picklists, the first choice first. */
export function boardFields(object: ObjectInfo): FieldInfo[] {
  return object.fields.filter((field) => field.kind === 'picklist')
}
