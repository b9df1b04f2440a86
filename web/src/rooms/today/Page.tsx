import { Button, SegmentedControl } from '@mantine/core'
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { fetchRecords, type ListQuery, type Rec, type RecordPage, recordsKey } from '../../api/records'
import { useObjects } from '../../app/queries'
import { todaySearch } from '../../app/search'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell } from '../../kit/tell'
import { useWriting } from '../record/writing'
import { listPath, recordPath, titleOf } from '../records/names'
import { writeValue } from '../records/value'
import { todayIn } from '../tasks/days'
import { TaskRow } from '../tasks/TaskRow'
import tasks from '../tasks/tasks.module.css'
import { useTaskActions } from '../tasks/useTaskActions'
import css from './Page.module.css'
import { asks } from './asks'

const AskFields = lazy(async () => ({ default: (await import('../record/AskFields')).AskFields }))

/** TodayPage answers what must be done now: promises that are due, things that are stuck, things that changed. */
export function TodayPage(): ReactNode {
  const objects = useObjects()
  if (objects.data !== undefined) return <Today objects={objects.data} />
  return <><PageHead title="Today" scope=" " />{objects.isError ? <Failed what="Today" error={objects.error} retry={() => void objects.refetch()} /> : <Card title="Promises due"><Waiting rows={6} height={36} label="Today" /></Card>}</>
}

function useAsk(object: string, query: ListQuery | null): UseQueryResult<RecordPage> {
  return useQuery({
    queryKey: recordsKey(object, query ?? { filter: null, sort: '', limit: 0 }), enabled: query !== null,
    queryFn: ({ signal }) => fetchRecords(object, query ?? { filter: null, sort: '', limit: 1 }, signal),
  })
}

function Today({ objects }: { objects: ObjectInfo[] }): ReactNode {
  const { me, format } = useSession()
  const navigate = useNavigate()
  const { whose } = useSearch({ from: '/app/today' })
  const today = todayIn(format.place.zone)
  const ask = asks(objects, whose === 'all' ? null : me.user.id, today)
  const due = useAsk('task', ask.due)
  const clocks = useAsk('lead', ask.clocks)
  const handoffs = useAsk('handoff', ask.handoffs)
  const stuck = useAsk('deal', ask.stuck)
  const closed = useAsk('deal', ask.closed)
  const heard = useAsk('activity', ask.heard)
  const nothingDue = due.data?.items.length === 0 && (clocks.data?.items.length ?? 0) === 0
  const next = useAsk('task', nothingDue ? ask.next : null)
  const given: Given = { objects, today, people: whose === 'all' }
  return (
    <>
      <PageHead title="Today" scope={`${format.date(today)} · ${format.place.zone.replaceAll('_', ' ')} · ${whose === 'all' ? 'all records that you see' : 'your records'}`}>
        <SegmentedControl size="xs" aria-label="Whose day" value={whose ?? 'mine'} data={[{ value: 'mine', label: 'Mine' }, { value: 'all', label: 'Everybody’s' }]} onChange={(value) => void navigate({ to: '.', search: todaySearch({ whose: value }) })} />
        <Button size="xs" variant="default" component={Link} to="/tasks">All tasks</Button>
      </PageHead>
      <div className={css['lists']}>
        <Part title="Promises due" asked={[due, clocks]} stale={due.isFetching && due.data !== undefined}
          none={next.data === undefined ? <Empty title="Nothing is due" /> : <NothingDue next={next.data.items} {...given} />}>
          <Tasks items={due.data?.items ?? []} {...given} />
          {(clocks.data?.items ?? []).map((lead) => <LeadClock key={lead.id} lead={lead} {...given} />)}
          <More page={due.data} to="/tasks" words="tasks due" />
        </Part>
        <Part title="Things stuck" asked={[stuck, handoffs]} none={<Empty title="Nothing is stuck">Every open deal has a next step.</Empty>}>
          {(handoffs.data?.items ?? []).map((handoff) => <HandoffRow key={handoff.id} handoff={handoff} {...given} />)}
          {(stuck.data?.items ?? []).map((deal) => <StuckDeal key={deal.id} deal={deal} {...given} />)}
          {ask.stuck?.filter != null && <More page={stuck.data} to={listPath('deal')} search={{ filter: ask.stuck.filter, sort: '-amount' }} words="deals stuck" />}
        </Part>
        <Part title="Things that changed" asked={[closed, heard]} none={<Empty title="Nothing has changed in the last seven days" />}>
          {(closed.data?.items ?? []).map((deal) => <ClosedDeal key={deal.id} deal={deal} {...given} />)}
          {(heard.data?.items ?? []).map((activity) => <Heard key={activity.id} activity={activity} {...given} />)}
        </Part>
      </div>
    </>
  )
}

/** What every row knows beside its record. */
interface Given {
  objects: ObjectInfo[]
  today: string
  /** other people's records are shown, too: rows say whose they are */
  people: boolean
}

/** Part is one of the lists, with its own waiting, failure and emptiness. */
function Part({ title, asked, none, stale = false, children }: { title: string; asked: UseQueryResult<RecordPage>[]; none: ReactNode; stale?: boolean; children: ReactNode }): ReactNode {
  const on = asked.filter((each) => each.isEnabled)
  const failed = on.find((each) => each.isError)
  const waiting = on.some((each) => each.isPending)
  const n = on.reduce((sum, each) => sum + (each.data?.items.length ?? 0), 0)
  return (
    <Card title={title} flush stale={stale}>
      {failed !== undefined ? <Failed what={title} error={failed.error} retry={() => on.forEach((each) => void each.refetch())} />
        : waiting ? <Waiting rows={5} height={36} label={title} />
          : n === 0 ? none : <ul className={tasks['list']}>{children}</ul>}
    </Card>
  )
}

function More({ page, to, search, words }: { page: RecordPage | undefined; to: string; search?: object; words: string }): ReactNode {
  const format = useFormat()
  if (page === undefined || (page.count.value <= page.items.length && !page.count.capped)) return null
  return <li className={tasks['row']}><Link to={to} {...(search === undefined ? {} : { search })} className={tasks['link']}>All {format.whole(page.count.value)}{page.count.capped ? '+' : ''} {words}</Link></li>
}

function Tasks({ items, objects, today, people }: Given & { items: Rec[] }): ReactNode {
  const { me } = useSession()
  const actions = useTaskActions()
  const object = objects.find((each) => each.name === 'task')
  if (object === undefined) return null
  return items.map((task) => <TaskRow key={task.id} task={task} object={object} today={today} writable={mayWrite(me, object.writeBy)} actions={actions} showOwner={people} />)
}

function NothingDue({ next, ...given }: Given & { next: Rec[] }): ReactNode {
  if (next.length === 0) return <Empty title="Nothing is due">There is nothing planned for the next days either.</Empty>
  return (
    <>
      <p className={css['calm']}>Nothing is due today. Next:</p>
      <ul className={tasks['list']}><Tasks items={next} {...given} /></ul>
    </>
  )
}

interface RowProps {
  record: Rec
  title: string
  people: boolean
  facts: ReactNode
  action: ReactNode
}

/** Row is one line of a list with its one action. */
function Row({ record, title, people, facts, action }: RowProps): ReactNode {
  return (
    <li className={tasks['row']}>
      <div className={tasks['words']}>
        <Link to={recordPath(record.object, record.id)} className={tasks['name']}><bdi>{title}</bdi></Link>
        <span className={tasks['facts']}>{facts}{people && record.titles['owner'] !== undefined && <span><bdi>{record.titles['owner']}</bdi></span>}</span>
      </div>
      <div className={tasks['actions']}>{action}</div>
    </li>
  )
}

function open(record: Rec, words: string, title: string): ReactNode {
  return <Button size="compact-sm" variant="default" component={Link} to={recordPath(record.object, record.id)} aria-label={`${words}: ${title}`}>{words}</Button>
}

function named(objects: ObjectInfo[], record: Rec): string {
  const object = objects.find((each) => each.name === record.object)
  return object === undefined ? record.id : titleOf(object, record)
}

function LeadClock({ lead, objects, people }: Given & { lead: Rec }): ReactNode {
  const format = useFormat()
  const title = named(objects, lead)
  const until = lead.fields['response_due_at']
  const late = typeof until === 'string' && Date.parse(until) < Date.now()
  return <Row record={lead} title={title} people={people} action={open(lead, 'Answer', title)}
    facts={<><span>new lead</span>{typeof until === 'string' && <span className={late ? 'bad' : undefined}>{late ? 'answer was due' : 'answer by'} {format.moment(until)}</span>}</>} />
}

function HandoffRow({ handoff, objects, people }: Given & { handoff: Rec }): ReactNode {
  const format = useFormat()
  const title = named(objects, handoff)
  const until = handoff.fields['due_at']
  const late = typeof until === 'string' && Date.parse(until) < Date.now()
  return <Row record={handoff} title={title} people={people} action={open(handoff, 'Decide', title)}
    facts={<><span>not taken yet</span>{typeof until === 'string' && <span className={late ? 'bad' : undefined}>{late ? 'was to be taken' : 'until'} {format.moment(until)}</span>}</>} />
}

function StuckDeal({ deal, objects, today, people }: Given & { deal: Rec }): ReactNode {
  const { me, format } = useSession()
  const writing = useWriting()
  const [asking, setAsking] = useState(false)
  const object = objects.find((each) => each.name === 'deal')
  if (object === undefined) return null
  const title = titleOf(object, deal)
  const planned = deal.fields['next_step_on']
  const step = deal.fields['next_step']
  const amount = fieldOf(object, 'amount')
  const fields = ['next_step', 'next_step_on'].map((name) => fieldOf(object, name)).filter((field) => field !== undefined)
  const why = typeof planned === 'string' && planned < today ? `step of ${format.dayMonth(planned)} has passed` : typeof step !== 'string' ? 'no next step' : 'nothing has happened for long'
  return (
    <>
      <Row record={deal} title={title} people={people} facts={<><span className="bad">{why}</span>{deal.titles['stage'] !== undefined && <span>{deal.titles['stage']}</span>}{amount !== undefined && (deal.fields['amount'] ?? null) !== null && <span className="num">{writeValue(amount, deal.fields['amount'], undefined, format)}</span>}</>}
        action={mayWrite(me, object.writeBy) && fields.length > 0 ? <Button size="compact-sm" variant="default" aria-label={`Plan the next step: ${title}`} onClick={() => setAsking(true)}>Next step</Button> : open(deal, 'Open', title)} />
      {asking && (
        <Suspense>
          <AskFields title="Plan the next step" fields={fields} onClose={() => setAsking(false)} onSave={async (values) => {
            const saved = await writing.save(deal, values, null)
            setAsking(false)
            if (saved.kind === 'conflict') return tell(`Somebody planned a next step for ${title} meanwhile. It was left as it is.`)
            tell(`The next step of ${title} is planned`, { label: 'Undo', run: async () => void (await writing.save(saved.record, Object.fromEntries(Object.keys(values).map((key) => [key, deal.fields[key] ?? null])), null)) })
          }} />
        </Suspense>
      )}
    </>
  )
}

function ClosedDeal({ deal, objects, people }: Given & { deal: Rec }): ReactNode {
  const format = useFormat()
  const title = named(objects, deal)
  const amount = objects.find((each) => each.name === 'deal')?.fields.find((field) => field.name === 'amount')
  const at = deal.fields['closed_at']
  const won = deal.fields['status'] === 'won'
  return <Row record={deal} title={title} people={people} action={open(deal, 'Open', title)}
    facts={<><Tag tone={won ? 'good' : 'bad'}>{won ? 'Won' : 'Lost'}</Tag>{amount !== undefined && <span className="num">{writeValue(amount, deal.fields['amount'], undefined, format)}</span>}{typeof at === 'string' && <span>{format.moment(at)}</span>}</>} />
}

function Heard({ activity, objects, people }: Given & { activity: Rec }): ReactNode {
  const format = useFormat()
  const title = named(objects, activity)
  const type = objects.find((each) => each.name === 'activity')?.fields.find((field) => field.name === 'type')
  const at = activity.fields['done_at']
  const about = ['deal', 'contact', 'account', 'lead'].find((name) => activity.titles[name] !== undefined)
  const id = about === undefined ? undefined : activity.fields[about]
  return <Row record={activity} title={title} people={people}
    action={about !== undefined && typeof id === 'string' ? <Button size="compact-sm" variant="default" component={Link} to={recordPath(about, id)} aria-label={`Open ${activity.titles[about] ?? about}`}>Open</Button> : open(activity, 'Open', title)}
    facts={<>{type !== undefined && <span>{writeValue(type, activity.fields['type'], undefined, format)}</span>}{about !== undefined && <span><bdi>{activity.titles[about]}</bdi></span>}{!people && activity.titles['owner'] !== undefined && <span>by <bdi>{activity.titles['owner']}</bdi></span>}{typeof at === 'string' && <span>{format.moment(at)}</span>}</>} />
}
