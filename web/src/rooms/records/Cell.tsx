import type { ReactNode } from 'react'
import type { FieldInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import type { Format } from '../../format/format'
import { Tag } from '../../kit/Change'
import { writeValue } from './value'
import css from './View.module.css'

const toneOf: Record<string, 'good' | 'bad' | 'accent'> = { won: 'good', lost: 'bad', open: 'accent' }

/** metaValue gives the columns that every record has beside its fields. */
function metaValue(record: Rec, name: string): string | undefined {
  return name === 'created_at' ? record.createdAt : name === 'updated_at' ? record.updatedAt : name === 'happened_at' ? record.happenedAt : undefined
}

/** Cell writes one field of a record in one line; long words are cut and stand whole in the tip. */
export function Cell({ field, record, format }: { field: FieldInfo; record: Rec; format: Format }): ReactNode {
  const value = record.fields[field.name] ?? metaValue(record, field.name)
  const words = writeValue(field, value, record.titles[field.name], format)
  if (value === null || value === undefined) return <span className="dim">{words}</span>
  // A stage has the colour of what it makes of the deal.
  const status = record.fields['status']
  const tone = record.object === 'deal' && (field.name === 'status' || field.to === 'stage') && typeof status === 'string' ? toneOf[status] : undefined
  if (tone !== undefined) return <Tag tone={tone}>{words}</Tag>
  return <span className={css['cell']} title={words.length > 28 ? words : undefined}><bdi>{words}</bdi></span>
}
