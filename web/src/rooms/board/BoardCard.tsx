import { draggable } from '@atlaskit/pragmatic-drag-and-drop/element/adapter'
import { ActionIcon, Menu } from '@mantine/core'
import { IconArrowsExchange } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { recordPath, titleOf } from '../records/names'
import type { BoardColumn } from './Board'
import css from './Board.module.css'

interface Props {
  object: ObjectInfo
  record: Rec
  /** the column that it stands in */
  at: string
  columns: BoardColumn[]
  /** it has been moved and the server has not answered yet */
  onWay: boolean
  movable: boolean
  onMove: (record: Rec, to: BoardColumn) => void
  children: ReactNode
}

/** BoardCard is one record: its name leads to it, it can be dragged, and its menu moves it without a mouse. */
export function BoardCard({ object, record, at, columns, onWay, movable, onMove, children }: Props): ReactNode {
  const element = useRef<HTMLLIElement>(null)
  const [dragged, setDragged] = useState(false)
  const title = titleOf(object, record)
  const free = movable && !onWay
  useEffect(() => {
    if (element.current === null || !free) return undefined
    return draggable({
      element: element.current,
      getInitialData: () => ({ board: object.name, record }),
      onDragStart: () => setDragged(true), onDrop: () => setDragged(false),
    })
  }, [free, object.name, record])
  return (
    <li ref={element} className={css['card']} data-card={record.id} data-dragged={dragged || undefined} data-onway={onWay || undefined} data-free={free || undefined}>
      <div className={css['cardHead']}>
        <Link to={recordPath(object.name, record.id)} className={css['name']} draggable={false}>{title}</Link>
        {movable && (
          <Menu position="bottom-end" shadow="md" width={210} returnFocus>
            <Menu.Target><ActionIcon variant="subtle" color="gray" size={24} data-move aria-label={`Move ${title} to another column`}><IconArrowsExchange size={15} /></ActionIcon></Menu.Target>
            <Menu.Dropdown>
              <Menu.Label>Move to</Menu.Label>
              {columns.map((column) => <Menu.Item key={column.key} disabled={onWay || column.key === at} onClick={() => onMove(record, column)}>{column.title}</Menu.Item>)}
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {children}
    </li>
  )
}
