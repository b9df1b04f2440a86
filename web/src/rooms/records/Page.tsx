import { Button, Checkbox, Popover, TextInput } from '@mantine/core'
import { IconColumns, IconPlus, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { mayWrite } from '../../api/me'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import { all, parts, type Predicate, readPredicate } from '../../api/predicate'
import { fetchRecords, recordsKey } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useObjects } from '../../app/queries'
import type { ListSearch } from '../../app/search'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { Chips } from './Chips'
import { newPath, recordPath } from './names'
import css from './Page.module.css'
import { RecordTable } from './View'

const pageSize = 50

/** Columns that say most about an object; others are chosen on the page. */
const usualColumns: Record<string, string[]> = {
  deal: ['amount', 'stage', 'account', 'owner', 'product', 'expected_close_on', 'closed_at'],
  account: ['sector', 'country', 'annual_revenue', 'owner', 'territory'],
  contact: ['email', 'phone', 'job_title', 'account', 'owner'],
  lead: ['company', 'status', 'source', 'owner'],
  task: ['status', 'due_on', 'deal', 'account', 'owner'],
}
const usualSort: Record<string, string> = { deal: '-amount' }

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
  const format = useFormat()
  const { me } = useSession()
  const navigate = useNavigate()
  const filter = readPredicate(search.filter)
  const sort = search.sort ?? usualSort[object.name] ?? ''
  const columns = columnsOf(object, search.cols)
  const query = { filter, sort, limit: pageSize, happenedBefore: search.before, position: search.position }
  const list = useInfiniteQuery({
    queryKey: recordsKey(object.name, query),
    queryFn: ({ pageParam, signal }) => fetchRecords(object.name, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null, // null is the first page; the type would be only null without it
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  })
  const change = (next: Partial<ListSearch>): void => void navigate({
    to: '.', search: (old: ListSearch) => Object.fromEntries(Object.entries({ ...old, ...next }).filter(([, value]) => value !== undefined)), resetScroll: false,
  })
  const canCreate = mayWrite(me, object.writeBy)
  useKeys({ c: () => canCreate && void navigate({ to: newPath(object.name) }) })

  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const count = list.data?.pages[0]?.count
  const words = count === undefined ? ' ' : `${format.whole(count.value)}${count.capped ? '+' : ''} ${count.value === 1 && !count.capped ? object.label.toLowerCase() : object.plural.toLowerCase()}${filter === null ? '' : ' match'}`
  const asOf = [search.before === undefined ? '' : `what had happened before ${format.instant(search.before)}`, search.position === undefined ? '' : `what was known at position ${format.whole(search.position)}`].filter((each) => each !== '')
  return (
    <>
      <PageHead title={object.plural} scope={<span role="status">{words}</span>}>
        <FindByName object={object} filter={filter} onFilter={(next) => change({ filter: next ?? undefined })} />
        <ColumnChooser object={object} columns={columns} onColumns={(cols) => change({ cols })} />
        {canCreate && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => void navigate({ to: newPath(object.name) })}>New {object.label.toLowerCase()}</Button>}
      </PageHead>
      {asOf.length > 0 && <p className={css['asOf']} role="status">As of: {asOf.join(' and ')}. <Button size="compact-xs" variant="subtle" onClick={() => change({ before: undefined, position: undefined })}>Show the present</Button></p>}
      <Chips object={object} objects={objects} filter={filter} onFilter={(next) => change({ filter: next ?? undefined })} />
      <section className={css['card']} aria-label={object.plural}>
        {list.data === undefined
          ? list.isError ? <Failed what={object.plural} error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={12} height={26} label={object.plural} />
          : items.length === 0
            ? filter === null
              ? <Empty title={`No ${object.plural.toLowerCase()} yet`} action={<Link to="/imports">Import a file</Link>}>{object.help}</Empty>
              : <Empty title={`No ${object.plural.toLowerCase()} match the filters`} action={<Button size="xs" variant="default" onClick={() => change({ filter: undefined })}>Clear the filters</Button>} />
            : <RecordTable object={object} columns={columns} items={items} sort={sort} stale={list.isPlaceholderData} onSort={(next) => change({ sort: next })} onOpen={(record) => void navigate({ to: recordPath(object.name, record.id) })} />}
        {list.isError && list.data !== undefined && <Failed what="The next page" error={list.error} retry={() => void list.refetch()} />}
        {list.hasNextPage && <div className={css['more']}><Button size="xs" variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show {pageSize} more</Button></div>}
      </section>
    </>
  )
}

function columnsOf(object: ObjectInfo, chosen: string[] | undefined): FieldInfo[] {
  const names = chosen ?? usualColumns[object.name] ?? object.fields.filter((field) => field.kind !== 'long_text' && field.name !== object.title).slice(0, 5).map((field) => field.name)
  return names.map((name) => fieldOf(object, name)).filter((field) => field !== undefined)
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

function ColumnChooser({ object, columns, onColumns }: { object: ObjectInfo; columns: FieldInfo[]; onColumns: (names: string[]) => void }): ReactNode {
  const names = columns.map((field) => field.name)
  return (
    <Popover position="bottom-end" shadow="md" trapFocus width={240} withinPortal={false}>
      <Popover.Target><Button size="xs" variant="default" leftSection={<IconColumns size={15} />}>Columns</Button></Popover.Target>
      <Popover.Dropdown>
        <div className={css['columns']} role="group" aria-label="Columns">
          {object.fields.filter((field) => field.name !== object.title).map((field) => (
            <Checkbox key={field.name} size="xs" label={field.label} checked={names.includes(field.name)} onChange={(event) => onColumns(event.currentTarget.checked ? [...names, field.name] : names.filter((each) => each !== field.name))} />
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
