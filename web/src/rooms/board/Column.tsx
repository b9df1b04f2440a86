import { dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter'
import { Button, Popover, UnstyledButton } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { all, parts, type Predicate } from '../../api/predicate'
import { fetchRecords, type Rec } from '../../api/records'
import { Failed, Waiting } from '../../kit/states'
import type { BoardColumn } from './Board'
import css from './Board.module.css'
import { BoardCard } from './BoardCard'

interface Props {
  object: ObjectInfo
  by: FieldInfo
  column: BoardColumn
  columns: BoardColumn[]
  filter: Predicate | null
  sort: string
  pageSize: number
  /** cards on their way, by id, with the column that they are shown in */
  moving: Record<string, { record: Rec; to: string }>
  card: (record: Rec) => ReactNode
  movable: boolean
  onMove: (record: Rec, to: BoardColumn) => void
}

/** Column fetches its cards page by page and takes dropped ones. */
export function Column({ object, by, column, columns, filter, sort, pageSize, moving, card, movable, onMove }: Props): ReactNode {
  const element = useRef<HTMLElement>(null)
  const [over, setOver] = useState(false)
  const id = useId()
  const where = all([...parts(filter), { field: by.name, op: 'eq', value: column.key }])
  const found = useInfiniteQuery({
    queryKey: ['records', object.name, 'board', { where, sort, pageSize }],
    queryFn: ({ pageParam, signal }) => fetchRecords(object.name, { filter: where, sort, limit: pageSize, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  })
  useEffect(() => {
    if (element.current === null || !movable) return undefined
    return dropTargetForElements({
      element: element.current,
      canDrop: ({ source }) => source.data['board'] === object.name,
      getData: () => ({ column: column.key }),
      onDragEnter: () => setOver(true), onDragLeave: () => setOver(false), onDrop: () => setOver(false),
    })
  }, [column.key, movable, object.name])
  const fetched = (found.data?.pages ?? []).flatMap((page) => page.items)
  const coming = Object.values(moving).filter((each) => each.to === column.key).map((each) => each.record)
  const cards = [...coming, ...fetched.filter((record) => moving[record.id] === undefined)]
  return (
    <section ref={element} className={css['column']} data-over={over || undefined} data-tone={column.tone} data-column={column.key} aria-labelledby={id} aria-busy={found.isFetching}>
      <header className={css['head']}>
        <h2 id={id} className={css['title']}>{column.help === undefined ? column.title : <WithHelp title={column.title} help={column.help} />}</h2>
        {column.head !== undefined && <div className={`${css['numbers']} num`}>{column.head}</div>}
      </header>
      {found.isPending && <Waiting rows={3} height={64} label={column.title} />}
      {found.isError && <Failed what={column.title} error={found.error} retry={() => void found.refetch()} />}
      {found.isSuccess && cards.length === 0 && <p className={css['none']}>Nothing here</p>}
      <ul className={css['cards']} aria-labelledby={id}>
        {cards.map((record) => (
          <BoardCard key={record.id} object={object} record={record} at={column.key} columns={columns} onWay={moving[record.id] !== undefined} movable={movable} onMove={onMove}>{card(record)}</BoardCard>
        ))}
      </ul>
      {found.hasNextPage && <Button size="compact-sm" variant="subtle" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>Show more</Button>}
    </section>
  )
}

/** WithHelp shows what a column asks for when its title is pointed at or reached by keyboard. */
function WithHelp({ title, help }: { title: string; help: ReactNode }): ReactNode {
  const [open, setOpen] = useState(false)
  const id = useId()
  return (
    <Popover opened={open} position="bottom-start" shadow="md" width={280} withRoles={false} trapFocus={false}>
      <Popover.Target>
        <UnstyledButton className={css['helped'] ?? ''} aria-describedby={open ? id : undefined} aria-expanded={open}
          onMouseEnter={() => setOpen(true)} onMouseLeave={() => setOpen(false)} onFocus={() => setOpen(true)} onBlur={() => setOpen(false)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setOpen(false)
          }}>{title}</UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown><div id={id} role="tooltip" className={css['help']}>{help}</div></Popover.Dropdown>
    </Popover>
  )
}
