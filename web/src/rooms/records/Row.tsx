import { IconPencil } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { Cell } from './Cell'
import { recordPath, titleOf } from './names'
import type { Selection } from './useSelection'
import { isNumeric } from './value'
import css from './View.module.css'

const CellEditor = lazy(async () => ({ default: (await import('./CellEditor')).CellEditor }))

interface Props {
  object: ObjectInfo
  columns: FieldInfo[]
  record: Rec
  row: number
  /** the column of this row that the keyboard is at; null where it is in another row */
  at: number | null
  selection: Selection
  /** the field that is edited in this row; null for none */
  editing: string | null
  isWritable: (column: number) => boolean
  onOpen: () => void
  onFocusCell: (column: number) => void
  onEdit: (column: number) => void
  onWrite: (seen: Rec, field: FieldInfo, value: Json) => void
  /** editing ended: stay (0), or edit the next (1) or previous (-1) cell */
  onDone: (move: 0 | 1 | -1) => void
}

/** Row is one record of the table. */
export function Row({ object, columns, record, row, at, selection, editing, isWritable, onOpen, onFocusCell, onEdit, onWrite, onDone }: Props): ReactNode {
  const format = useFormat()
  const title = titleOf(object, record)
  const chosen = selection.has(record.id)
  return (
    <tr aria-rowindex={row + 2} aria-selected={selection.enabled ? chosen : undefined} data-chosen={chosen || undefined} onClick={(event) => {
      // The row is one large target; a link or input inside it, or marked text, keeps its own meaning.
      if (event.target instanceof Element && event.target.closest('a, button, input, textarea, select, form, [role=listbox]') === null && window.getSelection()?.isCollapsed !== false) onOpen()
    }}>
      {selection.enabled && (
        <td className={css['check']}><input type="checkbox" tabIndex={-1} aria-label={`Select ${title}`} checked={chosen} onChange={() => selection.toggle(record.id)} /></td>
      )}
      <th scope="row">
        <Link to={recordPath(object.name, record.id)} data-row data-cell={`${row}:0`} tabIndex={at === 0 ? 0 : -1} className={css['link']} onFocus={() => onFocusCell(0)}
          onClick={(event) => {
            if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
            event.preventDefault()
            onOpen()
          }}><bdi>{title}</bdi></Link>
      </th>
      {columns.map((field, i) => {
        const column = i + 1
        if (editing === field.name) {
          return (
            <td key={field.name} className={css['editing']}>
              <Suspense><CellEditor object={object} record={record} field={field} onWrite={onWrite} onDone={onDone} /></Suspense>
            </td>
          )
        }
        const writable = isWritable(column)
        return (
          <td key={field.name} data-cell={`${row}:${column}`} tabIndex={at === column ? 0 : -1} aria-readonly={!writable} className={isNumeric(field) ? `${css['right']} num` : undefined} onFocus={() => onFocusCell(column)}>
            <Cell field={field} record={record} format={format} />
            {writable && <button type="button" tabIndex={-1} className={css['pen']} aria-label={`Edit ${field.label} of ${title}`} onClick={() => onEdit(column)}><IconPencil size={14} /></button>}
          </td>
        )
      })}
    </tr>
  )
}
