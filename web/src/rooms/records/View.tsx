import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useKeys } from '../../app/keys'
import { Row } from './Row'
import type { Selection } from './useSelection'
import { useWindow } from './useWindow'
import { isEditable, isNumeric } from './value'
import css from './View.module.css'

const rowHeight = 38
const headHeight = 36

export interface CellPlace {
  row: number
  /** 0 is the title; the columns follow */
  column: number
}

interface Props {
  object: ObjectInfo
  columns: FieldInfo[]
  items: Rec[]
  /** how many there are in all, for those who hear the list; -1 where they were not all counted */
  total: number
  sort: string
  stale: boolean
  selection: Selection
  /** the reader may change records */
  writable: boolean
  onSort: (sort: string) => void
  onOpen: (record: Rec) => void
  onWrite: (seen: Rec, field: FieldInfo, value: Json) => void
  /** the last rows are near: the next page is wanted */
  onEnd: () => void
}

/**
 * RecordTable lists records as a grid. The title leads to the record; arrows walk over cells, J and K over rows; Enter opens the record from its
 * title and the editor from any other cell, as E does; X or Space selects a row; a heading sorts. Only the rows in sight are drawn.
 */
export function RecordTable({ object, columns, items, total, sort, stale, selection, writable, onSort, onOpen, onWrite, onEnd }: Props): ReactNode {
  const scroller = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState<CellPlace>({ row: 0, column: 0 })
  const [editing, setEditing] = useState<{ id: string; field: string } | null>(null)
  const wanted = useRef<CellPlace | null>(null)
  const { from, to } = useWindow(scroller, items.length, rowHeight, headHeight)
  const here: CellPlace = { row: Math.min(at.row, items.length - 1), column: Math.min(at.column, columns.length) }

  // The last loaded rows are in sight: the next page comes by itself.
  const near = to >= items.length - 10
  const end = useRef(onEnd)
  useEffect(() => {
    end.current = onEnd
  })
  useEffect(() => {
    if (near) end.current()
  }, [near, items.length])

  const cellAt = (place: CellPlace): HTMLElement | null => scroller.current?.querySelector<HTMLElement>(`[data-cell="${place.row}:${place.column}"]`) ?? null
  useEffect(() => {
    if (wanted.current === null) return
    const cell = cellAt(wanted.current)
    if (cell === null) return
    wanted.current = null
    cell.focus({ preventScroll: true })
  })
  const goTo = (place: CellPlace): void => {
    const row = Math.max(0, Math.min(items.length - 1, place.row))
    const column = Math.max(0, Math.min(columns.length, place.column))
    setAt({ row, column })
    wanted.current = { row, column }
    const element = scroller.current
    if (element === null) return
    const top = row * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight + headHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight + headHeight - element.clientHeight
    cellAt({ row, column })?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
  const inGrid = (): boolean => scroller.current?.contains(document.activeElement) === true && document.activeElement !== scroller.current
  const isWritable = (column: number): boolean => {
    const field = columns[column - 1]
    return writable && field !== undefined && isEditable(field)
  }
  const edit = (place: CellPlace): void => {
    const [record, field] = [items[place.row], columns[place.column - 1]]
    if (record !== undefined && field !== undefined && isWritable(place.column)) {
      setAt(place)
      setEditing({ id: record.id, field: field.name })
    }
  }
  /** beside finds the next cell that can be edited, over the ends of rows. */
  const beside = (place: CellPlace, by: 1 | -1): CellPlace | null => {
    for (let { row, column } = { row: place.row, column: place.column + by }; row >= 0 && row < items.length; column += by) {
      if (column < 1 || column > columns.length) {
        row += by
        column = by > 0 ? 0 : columns.length + 1
        continue
      }
      if (isWritable(column)) return { row, column }
    }
    return null
  }
  useKeys({
    j: () => goTo({ row: inGrid() ? here.row + 1 : here.row, column: 0 }),
    k: () => goTo({ row: inGrid() ? here.row - 1 : here.row, column: 0 }),
    e: () => edit(isWritable(here.column) ? here : beside({ row: here.row, column: 0 }, 1) ?? here),
    x: () => toggle(here.row),
  })
  const toggle = (row: number): void => {
    const record = items[row]
    if (record !== undefined && selection.enabled) selection.toggle(record.id)
  }
  const press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || editing !== null || event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement) || event.target.dataset['cell'] === undefined) return
    const moves: Record<string, CellPlace> = {
      ArrowDown: { ...here, row: here.row + 1 }, ArrowUp: { ...here, row: here.row - 1 }, ArrowRight: { ...here, column: here.column + 1 }, ArrowLeft: { ...here, column: here.column - 1 },
      Home: { ...here, column: 0 }, End: { ...here, column: columns.length }, PageDown: { ...here, row: here.row + 15 }, PageUp: { ...here, row: here.row - 15 },
    }
    const next = moves[event.key]
    if (next !== undefined) goTo(next)
    else if (event.key === ' ') toggle(here.row)
    else if ((event.key === 'Enter' || event.key === 'F2') && here.column > 0) edit(here)
    else return
    event.preventDefault()
  }
  const title = object.fields.find((field) => field.name === object.title)
  return (
    <div ref={scroller} className={css['scroll']} tabIndex={-1} data-scroll-restoration-id={`list-${object.name}`} onKeyDown={press}>
      <table className={css['table']} role="grid" aria-busy={stale} data-stale={stale || undefined} aria-rowcount={total < 0 ? -1 : total + 1} aria-colcount={columns.length + 1} aria-multiselectable={selection.enabled || undefined}>
        <caption className="sr">{object.plural}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {selection.enabled && <th scope="col" className={css['check']}><SelectAll items={items} selection={selection} label={`Select all ${object.plural.toLowerCase()} that are loaded`} /></th>}
            {title !== undefined && <Head field={title} sort={sort} onSort={onSort} />}
            {columns.map((field) => <Head key={field.name} field={field} sort={sort} onSort={onSort} />)}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <tr aria-hidden="true" style={{ height: from * rowHeight }}><td colSpan={columns.length + 2} /></tr>}
          {items.slice(from, to).map((record, i) => (
            <Row key={record.id} object={object} columns={columns} record={record} row={from + i} at={here.row === from + i ? here.column : null} selection={selection} isWritable={isWritable}
              editing={editing?.id === record.id ? editing.field : null} onOpen={() => onOpen(record)} onWrite={onWrite} onFocusCell={(column) => setAt({ row: from + i, column })} onEdit={(column) => edit({ row: from + i, column })}
              onDone={(move) => {
                setEditing(null)
                const next = move === 0 ? null : beside(here, move)
                if (next === null) goTo(here)
                else edit(next)
              }} />
          ))}
          {to < items.length && <tr aria-hidden="true" style={{ height: (items.length - to) * rowHeight }}><td colSpan={columns.length + 2} /></tr>}
        </tbody>
      </table>
    </div>
  )
}

function SelectAll({ items, selection, label }: { items: Rec[]; selection: Selection; label: string }): ReactNode {
  const n = items.filter((record) => selection.has(record.id)).length
  const all = n === items.length && n > 0
  return (
    <input type="checkbox" aria-label={label} checked={all} ref={(element) => {
      if (element !== null) element.indeterminate = n > 0 && !all
    }} onChange={() => (all ? selection.clear() : selection.put(items.map((record) => record.id)))} />
  )
}

function Head({ field, sort, onSort }: { field: FieldInfo; sort: string; onSort: (sort: string) => void }): ReactNode {
  const first = sort.split(',')[0] ?? ''
  const down = first === `-${field.name}`
  const here = down || first === field.name
  const right = isNumeric(field) ? css['right'] : undefined
  // What has no index would be slow to sort, and the order of references would be that of their numbers.
  if (!field.indexed || field.kind === 'reference') return <th scope="col" className={right} title={field.help}>{field.label}</th>
  // Numbers and times are first asked from the top.
  const fresh = isNumeric(field) || field.kind === 'date' || field.kind === 'instant' ? `-${field.name}` : field.name
  return (
    <th scope="col" className={right} aria-sort={here ? (down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className={css['sort']} title={field.help} onClick={() => onSort(here ? (down ? field.name : `-${field.name}`) : fresh)}>
        {field.label}{here && (down ? <IconArrowDown size={13} /> : <IconArrowUp size={13} />)}
      </button>
    </th>
  )
}
