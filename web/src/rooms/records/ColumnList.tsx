import { Checkbox } from '@mantine/core'
import type { ReactNode } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { metaFields } from './describe'
import css from './Page.module.css'

/** ColumnList ticks the fields that a list shows beside its title. */
export function ColumnList({ object, columns, onColumns }: { object: ObjectInfo; columns: FieldInfo[]; onColumns: (names: string[]) => void }): ReactNode {
  const names = columns.map((field) => field.name)
  return (
    <div className={css['columns']} role="group" aria-label="Columns">
      {[...object.fields, ...metaFields].filter((field) => field.name !== object.title).map((field) => (
        <Checkbox key={field.name} size="xs" label={field.label} checked={names.includes(field.name)} onChange={(event) => onColumns(event.currentTarget.checked ? [...names, field.name] : names.filter((each) => each !== field.name))} />
      ))}
    </div>
  )
}
