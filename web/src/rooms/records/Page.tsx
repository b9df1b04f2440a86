import { Button, NativeSelect, Popover, TextInput } from '@mantine/core'
import { IconColumns, IconDownload, IconPlus, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link, useLocation, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react'
import { mayWrite } from '../../api/me'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { all, parts, type Predicate } from '../../api/predicate'
import { fetchRecords, recordsKey } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useObjects } from '../../app/queries'
import { layouts, type ListSearch } from '../../app/search'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { Chips } from './Chips'
import { boardFields, columnsOf } from './columns'
import { newPath, recordPath } from './names'
import css from './Page.module.css'
import { leaveTrail } from './trail'
import { useCellWrite } from './useCellWrite'
import { everything, type ListState, useListState } from './useListState'
import { useSelection } from './useSelection'
import { ViewPicker } from './ViewPicker'

// A table or a board, and what is done with many rows, is fetched when it is asked for.
const BoardView = lazy(async () => ({ default: (await import('./BoardView')).BoardView }))
const RecordTable = lazy(async () => ({ default: (await import('./View')).RecordTable }))
const ColumnList = lazy(async () => ({ default: (await import('./ColumnList')).ColumnList }))
const ExportDialog = lazy(async () => ({ default: (await import('./ExportDialog')).ExportDialog }))
const BulkBar = lazy(async () => ({ default: (await import('./BulkBar')).BulkBar }))

const pageSize = 100

export function DealsPage(): ReactNode {
  return <ListPage name="deal" search={useSearch({ from: '/app/deals' })} />
}

export function RecordsPage(): ReactNode {
  const { object } = useParams({ from: '/app/records/$object' })
  return <ListPage key={object} name={object} search={useSearch({ from: '/app/records/$object' })} />
}

function ListPage({ name, search }: { name: string; search: ListSearch }): ReactNode {
  const objects = useObjects()
  const object = objects.data?.find((each) => each.name === name)
  if (object !== undefined && objects.data !== undefined) return <List object={object} objects={objects.data} search={search} />
  return (
    <>
      <PageHead title={name === 'deal' ? 'Deals' : 'Records'} scope=" " />
      {objects.isError ? <Failed what="This list" error={objects.error} retry={() => void objects.refetch()} />
        : objects.data !== undefined ? <Empty title={`There is no object “${name}”`} action={<Link to="/deals">Go to deals</Link>} />
          : <Card title="Records"><Waiting rows={10} height={26} label="The list" /></Card>}
    </>
  )
}

function List({ object, objects, search }: { object: ObjectInfo; objects: ObjectInfo[]; search: ListSearch }): ReactNode {
  const { me } = useSession()
  const navigate = useNavigate()
  const list = useListState(object, search)
  const canCreate = mayWrite(me, object.writeBy)
  useKeys({ c: () => canCreate && void navigate({ to: newPath(object.name) }) })
  const { filter, layout } = list.state
  const by = fieldOf(object, list.state.group)
  const board = layout === 'board' && by?.kind === 'picklist' && search.before === undefined && search.position === undefined
  const setFilter = (next: Predicate | null): void => list.change({ filter: next ?? (list.view === undefined ? undefined : everything) })
  return (
    <>
      <PageHead title={object.plural} scope={board || list.waiting ? `By ${by?.label.toLowerCase() ?? ''}` : <Count object={object} list={list} search={search} />}>
        <FindByName object={object} filter={filter} onFilter={setFilter} />
        {canCreate && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => void navigate({ to: newPath(object.name) })}>New {object.label.toLowerCase()}</Button>}
      </PageHead>
      <AsOf search={search} onPresent={() => list.change({ before: undefined, position: undefined })} />
      <div className={css['tools']}>
        <ViewPicker object={object} list={list} />
        <Layout object={object} list={list} />
        {!board && <ColumnChooser object={object} columns={columnsOf(object, list.state.columns)} onColumns={(cols) => list.change({ cols })} />}
        {!board && !list.waiting && search.before === undefined && search.position === undefined && <Export object={object} list={list} />}
        <Chips object={object} objects={objects} filter={filter} onFilter={setFilter} />
      </div>
      {list.waiting ? <Card title={object.plural}><Waiting rows={12} height={26} label={object.plural} /></Card>
        : board ? <Suspense fallback={<Waiting rows={6} height={60} label={object.plural} />}><BoardView object={object} by={by} columns={columnsOf(object, list.state.columns)} filter={filter} sort={list.state.sort} writable={canCreate} showing={search.at} onShowing={(at) => list.change({ at })} /></Suspense>
          : <Table object={object} objects={objects} list={list} search={search} writable={canCreate} onFilter={setFilter} />}
    </>
  )
}

function useRecordList(object: ObjectInfo, list: ListState, search: ListSearch) {
  const query = { filter: list.state.filter, sort: list.state.sort, limit: pageSize, ...(search.before === undefined ? {} : { happenedBefore: search.before }), ...(search.position === undefined ? {} : { position: search.position }) }
  const found = useInfiniteQuery({
    queryKey: recordsKey(object.name, query),
    queryFn: ({ pageParam, signal }) => fetchRecords(object.name, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null, // null is the first page; the type would be only null without it
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
    enabled: !list.waiting,
  })
  return { query, found }
}

function Count({ object, list, search }: { object: ObjectInfo; list: ListState; search: ListSearch }): ReactNode {
  const format = useFormat()
  const count = useRecordList(object, list, search).found.data?.pages[0]?.count
  const words = count === undefined ? ' ' : `${format.whole(count.value)}${count.capped ? '+' : ''} ${count.value === 1 && !count.capped ? object.label.toLowerCase() : object.plural.toLowerCase()}${list.state.filter === null ? '' : ' match'}`
  return <span role="status">{words}</span>
}

interface TableProps {
  object: ObjectInfo
  objects: ObjectInfo[]
  list: ListState
  search: ListSearch
  writable: boolean
  onFilter: (filter: Predicate | null) => void
}

function Table({ object, objects, list, search, writable, onFilter }: TableProps): ReactNode {
  const navigate = useNavigate()
  const { href } = useLocation()
  const { query, found } = useRecordList(object, list, search)
  const { filter, sort } = list.state
  const past = search.before !== undefined || search.position !== undefined
  const selection = useSelection(writable && !past, JSON.stringify(filter))
  const cells = useCellWrite(object, objects)
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  const count = found.data?.pages[0]?.count ?? { value: 0, capped: false }
  const open = (id: string): void => {
    leaveTrail({ object: object.name, href, query, ids: items.map((each) => each.id), nextCursor: found.data?.pages.at(-1)?.nextCursor ?? null })
    void navigate({ to: recordPath(object.name, id) })
  }
  return (
    <>
      <section className={css['card']} aria-label={object.plural}>
        {found.data === undefined
          ? found.isError ? <Failed what={object.plural} error={found.error} retry={() => void found.refetch()} /> : <Waiting rows={12} height={26} label={object.plural} />
          : items.length === 0
            ? filter === null
              ? <Empty title={`No ${object.plural.toLowerCase()} yet`} action={<Link to="/imports">Import a file</Link>}>{object.help}</Empty>
              : <Empty title={`No ${object.plural.toLowerCase()} match the filters`} action={<Button size="xs" variant="default" onClick={() => onFilter(null)}>Clear the filters</Button>} />
            : <Suspense fallback={<Waiting rows={8} label={object.plural} />}><RecordTable object={object} columns={columnsOf(object, list.state.columns)} items={items} total={count.capped ? -1 : count.value} sort={sort} stale={found.isPlaceholderData} selection={selection} writable={writable && !past}
              onSort={(next) => list.change({ sort: next })} onOpen={(record) => open(record.id)} onWrite={cells.write} onEnd={() => {
                if (found.hasNextPage && !found.isFetching && !found.isError) void found.fetchNextPage()
              }} /></Suspense>}
        {found.isError && found.data !== undefined && <Failed what="The next page" error={found.error} retry={() => void found.fetchNextPage()} />}
        {found.isFetchingNextPage && <p className={css['more']} role="status">Loading more…</p>}
      </section>
      {selection.enabled && (selection.ids.size > 0 || selection.everything) && <Suspense><BulkBar object={object} filter={filter} items={items} count={count} selection={selection} /></Suspense>}
      {cells.dialog}
    </>
  )
}

/** AsOf says that the list shows the past, and leads back. */
function AsOf({ search, onPresent }: { search: ListSearch; onPresent: () => void }): ReactNode {
  const format = useFormat()
  const asOf = [search.before === undefined ? '' : `what had happened before ${format.instant(search.before)}`, search.position === undefined ? '' : `what was known at position ${format.whole(search.position)}`].filter((each) => each !== '')
  if (asOf.length === 0) return null
  return <p className={css['asOf']} role="status">As of: {asOf.join(' and ')}. <Button size="compact-xs" variant="subtle" onClick={onPresent}>Show the present</Button></p>
}

/** Export opens the dialog that writes the list into a file. */
function Export({ object, list }: { object: ObjectInfo; list: ListState }): ReactNode {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconDownload size={15} />} onClick={() => setOpen(true)}>Export</Button>
      {open && <Suspense><ExportDialog object={object} list={list.state} columns={[object.title, ...columnsOf(object, list.state.columns).map((field) => field.name)]} onClose={() => setOpen(false)} /></Suspense>}
    </>
  )
}

/** Layout switches between table and board, and says by what a board is made. */
function Layout({ object, list }: { object: ObjectInfo; list: ListState }): ReactNode {
  const fields = boardFields(object)
  if (fields.length === 0) return null
  return (
    <>
      <div role="group" aria-label="Shown as"><Button.Group>
        {layouts.map((each) => (
          <Button key={each} size="xs" variant={list.state.layout === each ? 'light' : 'default'} aria-pressed={list.state.layout === each}
            onClick={() => list.change({ layout: each, group: each === 'board' ? list.state.group : undefined, at: undefined })}>{each === 'board' ? 'Board' : 'Table'}</Button>
        ))}
      </Button.Group></div>
      {list.state.layout === 'board' && fields.length > 1 && (
        <NativeSelect size="xs" aria-label="Columns of the board" value={list.state.group} data={fields.map((field) => ({ value: field.name, label: `By ${field.label.toLowerCase()}` }))} onChange={(event) => list.change({ layout: 'board', group: event.currentTarget.value, at: undefined })} />
      )}
    </>
  )
}

/** FindByName filters by the title; it is one part of the filter like any other. */
function FindByName({ object, filter, onFilter }: { object: ObjectInfo; filter: Predicate | null; onFilter: (filter: Predicate | null) => void }): ReactNode {
  const isName = (part: Predicate): boolean => 'field' in part && part.field === object.title && part.op === 'contains'
  const given = parts(filter).find(isName)
  const inUrl = given !== undefined && 'field' in given && typeof given.value === 'string' ? given.value : ''
  const [text, setText] = useState(inUrl)
  const [seen, setSeen] = useState(inUrl)
  if (seen !== inUrl) { // Back, or a chip taken away
    setSeen(inUrl)
    setText(inUrl)
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const type = (value: string): void => {
    setText(value)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      const rest = parts(filter).filter((part) => !isName(part))
      onFilter(all(value.trim() === '' ? rest : [...rest, { field: object.title, op: 'contains', value: value.trim() }]))
    }, 250)
  }
  return <TextInput size="xs" type="search" w={190} leftSection={<IconSearch size={14} />} placeholder="Find by name" aria-label={`Find ${object.plural.toLowerCase()} by name`} value={text} onChange={(event) => type(event.currentTarget.value)} />
}

function ColumnChooser(props: { object: ObjectInfo; columns: FieldInfo[]; onColumns: (names: string[]) => void }): ReactNode {
  return (
    <Popover position="bottom-end" shadow="md" trapFocus width={240} withinPortal={false}>
      <Popover.Target><Button size="xs" variant="default" leftSection={<IconColumns size={15} />}>Columns</Button></Popover.Target>
      <Popover.Dropdown><Suspense fallback={<Waiting rows={6} height={20} label="The columns" />}><ColumnList {...props} /></Suspense></Popover.Dropdown>
    </Popover>
  )
}
