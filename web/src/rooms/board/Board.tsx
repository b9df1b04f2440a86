import { monitorForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter'
import { NativeSelect } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import type { Rec } from '../../api/records'
import { tell, tellFailure } from '../../kit/tell'
import { titleOf } from '../records/names'
import css from './Board.module.css'
import { Column } from './Column'

/** One column of a board. */
export interface BoardColumn {
  /** the value that its cards have in the board's field: an option of a picklist, or the id of the record that a reference points to */
  key: string
  title: string
  /** under the title: "12 · $340K". The caller brings the numbers, as the API gave them. */
  head?: ReactNode
  /** what must be true to come or go, shown when the title is pointed at or has the focus */
  help?: ReactNode
  tone?: 'open' | 'won' | 'lost'
}

/** What became of a move that was written: how to take it back. */
export interface Moved {
  undo: () => Promise<void>
}

export interface BoardProps {
  object: ObjectInfo
  /** the picklist or reference that the columns are values of */
  by: FieldInfo
  /** in their order; a record with another value is on no column */
  columns: BoardColumn[]
  /** which records the board has; null: all that the reader may see */
  filter: Predicate | null
  /** "-amount,name" */
  sort: string
  /** what stands under a card's name */
  card: (record: Rec) => ReactNode
  /**
   * Writes a move, by drag and by menu alike; null: the reader may not move. The card stands in its new column meanwhile. It gives how to take
   * the move back, or null where the card stays (somebody else moved it, a dialog was closed); what it throws is told, and the card goes back.
   * useFieldMove writes the field and nothing else.
   */
  move: ((record: Rec, to: BoardColumn) => Promise<Moved | null>) | null
  /** the column that is seen where there is room for one only; kept in the URL by the page */
  showing?: string | undefined
  onShowing?: (key: string) => void
  /** cards that a column fetches at once */
  pageSize?: number
}

/**
 * Board shows records as cards in columns, one column a value. Columns load page by page; cards are dragged, or moved by their "Move to" menu
 * with the same effect, and the focus stays on the card. Under 768 px one column is shown at a time, with a list to choose it.
 *
 * A move is shown at once, told politely with an Undo for six seconds, and taken back where it was refused.
 */
export function Board({ object, by, columns, filter, sort, card, move, showing, onShowing, pageSize = 25 }: BoardProps): ReactNode {
  const client = useQueryClient()
  const narrow = useMediaQuery('(max-width: 767px)', false, { getInitialValueInEffect: false })
  const [moving, setMoving] = useState<Record<string, { record: Rec; to: string }>>({})
  const [own, setOwn] = useState(columns[0]?.key)
  const whole = useRef<HTMLDivElement>(null)
  const focus = useRef<string | null>(null)
  const shown = columns.find((column) => column.key === (showing ?? own)) ?? columns[0]

  // A card that went to another column is a new element: the focus follows it.
  useEffect(() => {
    if (focus.current === null) return
    const button = whole.current?.querySelector<HTMLElement>(`[data-card="${focus.current}"] [data-move]`)
    if (button === null || button === undefined || button === document.activeElement) return
    button.focus({ preventScroll: false })
    focus.current = null
  })

  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ['records', object.name] })
  const start = async (record: Rec, to: BoardColumn): Promise<void> => {
    if (move === null || record.fields[by.name] === to.key || moving[record.id] !== undefined) return
    setMoving((all) => ({ ...all, [record.id]: { record, to: to.key } }))
    const title = titleOf(object, record)
    try {
      const moved = await move(record, to)
      if (moved !== null) {
        tell(`${title} moved to ${to.title}`, {
          label: 'Undo',
          run: async () => {
            await moved.undo()
            await refresh()
            tell(`${title} is back`)
          },
        })
      }
      await refresh()
    } catch (problem) {
      tellFailure(`${title} was not moved`, problem)
    } finally {
      setMoving(({ [record.id]: _, ...rest }) => rest)
    }
  }
  const latest = useRef(start)
  useEffect(() => {
    latest.current = start
  })
  useEffect(() => monitorForElements({
    canMonitor: ({ source }) => source.data['board'] === object.name,
    onDrop: ({ source, location }) => {
      const column = columns.find((each) => each.key === location.current.dropTargets[0]?.data['column'])
      if (column !== undefined) void latest.current(source.data['record'] as Rec, column) // Column puts it there
    },
  }), [columns, object.name])

  const byMenu = (record: Rec, to: BoardColumn): void => {
    focus.current = record.id
    void start(record, to)
  }
  return (
    <div ref={whole} className={css['whole']}>
      {narrow && shown !== undefined && (
        <NativeSelect label={by.label} size="sm" className={css['choose'] ?? ''} value={shown.key} data={columns.map((column) => ({ value: column.key, label: column.title }))}
          onChange={(event) => {
            setOwn(event.currentTarget.value)
            onShowing?.(event.currentTarget.value)
          }} />
      )}
      <div className={css['board']} role="group" aria-label={`${object.plural} by ${by.label.toLowerCase()}`} tabIndex={narrow ? undefined : 0}>
        {(narrow && shown !== undefined ? [shown] : columns).map((column) => (
          <Column key={column.key} object={object} by={by} column={column} columns={columns} filter={filter} sort={sort} pageSize={pageSize}
            moving={moving} card={card} movable={move !== null} onMove={byMenu} />
        ))}
      </div>
    </div>
  )
}
