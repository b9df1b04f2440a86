import { Button, SegmentedControl } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { mayWrite } from '../../api/me'
import type { ObjectInfo } from '../../api/objects'
import { all, type Predicate } from '../../api/predicate'
import { fetchRecords, type Rec, recordsKey } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useObjects } from '../../app/queries'
import { tasksSearch } from '../../app/search'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Dialog } from '../../kit/Dialog'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { titleOf } from '../records/names'
import { useTitles } from '../records/queries'
import { type Selection, useSelection } from '../records/useSelection'
import { type Due, dueOf, todayIn } from './days'
import { Snooze, TaskRow } from './TaskRow'
import css from './tasks.module.css'
import { type TaskActions, useTaskActions } from './useTaskActions'

// The search for people comes when tasks are given away.
const RecordPicker = lazy(async () => ({ default: (await import('../record/FieldInput')).RecordPicker }))

const groups: { due: Due; title: string }[] = [{ due: 'overdue', title: 'Overdue' }, { due: 'today', title: 'Today' }, { due: 'later', title: 'Later' }, { due: 'undated', title: 'Without a day' }]

/** TasksPage answers what is due, overdue and unowned. */
export function TasksPage(): ReactNode {
  const objects = useObjects()
  const object = objects.data?.find((each) => each.name === 'task')
  if (object !== undefined) return <Tasks object={object} objects={objects.data ?? []} />
  return <><PageHead title="Tasks" scope=" " />{objects.isError ? <Failed what="Tasks" error={objects.error} retry={() => void objects.refetch()} /> : <Card title="Tasks"><Waiting rows={8} height={36} label="Tasks" /></Card>}</>
}

function Tasks({ object, objects }: { object: ObjectInfo; objects: ObjectInfo[] }): ReactNode {
  const { me, format } = useSession()
  const navigate = useNavigate()
  const { whose } = useSearch({ from: '/app/tasks' })
  const today = todayIn(format.place.zone)
  const actions = useTaskActions()
  const writable = mayWrite(me, object.writeBy)
  const owner: Predicate[] = whose === 'all' ? [] : [whose === 'unowned' ? { field: 'owner', op: 'is_empty' } : { field: 'owner', op: 'eq', value: me.user.id }]
  const query = { filter: all([{ field: 'status', op: 'eq', value: 'open' }, ...owner]), sort: 'due_on', limit: 200 }
  const found = useInfiniteQuery({
    queryKey: recordsKey('task', query),
    queryFn: ({ pageParam, signal }) => fetchRecords('task', { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null, // null is the first page; the type would be only null without it
    getNextPageParam: (page) => page.nextCursor,
  })
  const selection = useSelection(writable, whose ?? 'mine')
  const tasks = found.data?.pages.flatMap((page) => page.items) ?? []
  const count = found.data?.pages[0]?.count
  useKeys({ c: () => writable && void navigate({ to: '/records/$object/new', params: { object: 'task' } }) })
  const chosen = tasks.filter((task) => selection.has(task.id))
  return (
    <>
      <PageHead title="Tasks" scope={<span role="status">{count === undefined ? ' ' : `${format.whole(count.value)}${count.capped ? '+' : ''} open · today is ${format.date(today)}`}</span>}>
        <SegmentedControl size="xs" aria-label="Whose tasks" value={whose ?? 'mine'} data={[{ value: 'mine', label: 'Mine' }, { value: 'all', label: 'Everybody’s' }, { value: 'unowned', label: 'Nobody’s' }]}
          onChange={(value) => void navigate({ to: '.', search: tasksSearch({ whose: value }) })} />
        <Button size="xs" variant="default" component={Link} to="/records/task">All tasks as a list</Button>
        {writable && <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => void navigate({ to: '/records/$object/new', params: { object: 'task' } })}>New task</Button>}
      </PageHead>
      {chosen.length > 0 && <Bulk chosen={chosen} objects={objects} today={today} actions={actions} selection={selection} />}
      {found.data === undefined ? <Card title="Open tasks">{found.isError ? <Failed what="Tasks" error={found.error} retry={() => void found.refetch()} /> : <Waiting rows={8} height={36} label="Tasks" />}</Card>
        : tasks.length === 0 ? <Card title="Open tasks"><Empty title={whose === 'unowned' ? 'Every open task has somebody who does it' : 'No open tasks'} action={writable && <Link to="/records/$object/new" params={{ object: 'task' }}>Write one down</Link>} /></Card>
          : groups.map(({ due, title }) => {
            const list = tasks.filter((task) => dueOf(task, today) === due)
            return list.length === 0 ? null : (
              <Card key={due} flush title={<span className={due === 'overdue' ? 'bad' : undefined}>{title} <span className="num">{format.whole(list.length)}{found.hasNextPage && due === 'later' ? '+' : ''}</span></span>}
                aside={writable && <Button size="compact-xs" variant="subtle" onClick={() => selection.put(list.map((task) => task.id))}>Select {title.toLowerCase()}</Button>}>
                <ul className={css['list']}>
                  {list.map((task) => (
                    <TaskRow key={task.id} task={task} object={object} today={today} writable={writable} actions={actions} showOwner={whose !== undefined}
                      box={writable && <input type="checkbox" aria-label={`Select ${titleOf(object, task)}`} checked={selection.has(task.id)} onChange={() => selection.toggle(task.id)} />} />
                  ))}
                </ul>
              </Card>
            )
          })}
      {found.isError && found.data !== undefined && <Failed what="More tasks" error={found.error} retry={() => void found.fetchNextPage()} />}
      {found.hasNextPage && <div className={css['more']}><Button size="xs" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>Show more</Button></div>}
    </>
  )
}

/** Bulk puts chosen tasks off, or gives them to somebody else. */
function Bulk({ chosen, objects, today, actions, selection }: { chosen: Rec[]; objects: ObjectInfo[]; today: string; actions: TaskActions; selection: Selection }): ReactNode {
  const format = useFormat()
  const [giving, setGiving] = useState(false)
  const [owner, setOwner] = useState('')
  const title = useTitles(owner === '' ? [] : [owner], objects)
  return (
    <div className={css['bulk']} role="region" aria-label="Selected tasks">
      <span role="status"><strong className="num">{format.whole(chosen.length)}</strong> selected</span>
      <Snooze label="Put off the selected tasks" words="Put off" today={today} onDay={(day) => {
        actions.snooze(chosen, day)
        selection.clear()
      }} />
      <Button size="compact-sm" variant="default" onClick={() => setGiving(true)}>Give to…</Button>
      <Button size="compact-sm" variant="subtle" onClick={selection.clear}>Clear selection</Button>
      {giving && (
        <Dialog title={`Give ${format.whole(chosen.length)} ${chosen.length === 1 ? 'task' : 'tasks'} to somebody`} onClose={() => setGiving(false)} width={400}>
          <form className={css['form']} style={{ minHeight: 260, alignContent: 'start' }} onSubmit={(event) => {
            event.preventDefault()
            if (owner === '') return
            actions.reassign(chosen, owner, title(owner) ?? 'them')
            selection.clear()
            setGiving(false)
          }}>
            <Suspense><RecordPicker to="user" among={null} value={owner} onValue={setOwner} label="Who does them" autoFocus /></Suspense>
            <div className={css['bulk']}><Button type="submit" disabled={owner === ''}>Give to them</Button><Button variant="default" onClick={() => setGiving(false)}>Cancel</Button></div>
          </form>
        </Dialog>
      )}
    </div>
  )
}
