import type { FieldInfo } from '../../api/objects'
import type { Rec } from '../../api/records'

/** amongOf narrows a reference by another field of the record: the stages are those of its pipeline. */
export function amongOf(record: Pick<Rec, 'fields'>, field: FieldInfo): { field: string; op: 'eq'; value: string } | null {
  const pipeline = record.fields['pipeline']
  return field.to === 'stage' && typeof pipeline === 'string' ? { field: 'pipeline', op: 'eq', value: pipeline } : null
}
