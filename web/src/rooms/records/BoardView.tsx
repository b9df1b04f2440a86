import type { ReactNode } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import { useFormat } from '../../app/session'
import { Board, type BoardColumn } from '../board/Board'
import { useFieldMove } from '../board/useFieldMove'
import { isEditable, writeValue } from './value'

interface Props {
  object: ObjectInfo
  by: FieldInfo
  /** what a card says, beside its name */
  columns: FieldInfo[]
  filter: Predicate | null
  sort: string
  writable: boolean
  showing: string | undefined
  onShowing: (key: string) => void
}

/** BoardView shows a list as a board: one column for each value of a picklist. */
export function BoardView({ object, by, columns, filter, sort, writable, showing, onShowing }: Props): ReactNode {
  const format = useFormat()
  const move = useFieldMove(by)
  const shown: BoardColumn[] = by.options.filter((option) => !option.retired).map((option) => ({
    key: option.value, title: option.label, ...(option.value === 'won' || option.value === 'lost' ? { tone: option.value } : {}),
  }))
  const lines = columns.filter((field) => field.name !== by.name).slice(0, 3)
  return (
    <Board object={object} by={by} columns={shown} filter={filter} sort={sort} showing={showing} onShowing={onShowing} move={writable && isEditable(by) ? move : null}
      card={(record) => lines.map((field) => {
        const value = record.fields[field.name] ?? null
        return value === null ? null : <div key={field.name}><span className="dim">{field.label}</span> <bdi>{writeValue(field, value, record.titles[field.name], format)}</bdi></div>
      })} />
  )
}
