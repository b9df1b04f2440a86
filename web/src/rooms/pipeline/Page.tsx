import { Button, NativeSelect } from '@mantine/core'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { all, type Predicate } from '../../api/predicate'
import type { Rec } from '../../api/records'
import { useObjects } from '../../app/queries'
import { type BoardSort, boardSorts, type PipelineSearch } from '../../app/search'
import { useFormat, useSession } from '../../app/session'
import { daysSince } from '../../format/format'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { Board, type BoardColumn, type Moved } from '../board/Board'
import { useWriting } from '../record/writing'
import { smallList, useSmallList } from '../records/queries'
import { readMoney } from '../records/value'
import { boardKey, type BoardSums, fetchBoard, fetchStages, type StageInWords, stagesKey } from './contract'
import { useSums } from './money'
import css from './Page.module.css'
import { StageHelp } from './StageHelp'
import { Strip } from './Strip'
import { useDealMove } from './useDealMove'

// Only a workspace of hundreds of people needs to search for one.
const RecordPicker = lazy(async () => ({ default: (await import('../record/FieldInput')).RecordPicker }))

const sortNames: Record<BoardSort, string> = { '-amount': 'Largest first', next_step_on: 'Next step first', expected_close_on: 'Closing first' }

/** PipelinePage asks: which deals move, and which are stuck? */
export function PipelinePage(): ReactNode {
  const search = useSearch({ from: '/app/pipeline' })
  const objects = useObjects()
  const pipelines = useSmallList('pipeline', { field: 'active', op: 'eq', value: true })
  const chosen = pipelines.items.find((each) => each.id === search.pipeline) ?? [...pipelines.items].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))[0]
  const deal = objects.data?.find((each) => each.name === 'deal')
  const error = objects.error ?? pipelines.error
  if (error !== null) return <><PageHead title="Pipeline" /><Failed what="The pipeline" error={error} retry={() => void objects.refetch()} /></>
  if (pipelines.pending || deal === undefined || objects.data === undefined) return <><PageHead title="Pipeline" scope=" " /><Waiting rows={8} height={48} label="The pipeline" /></>
  if (chosen === undefined) return <><PageHead title="Pipeline" /><Empty title="There is no pipeline yet" action={<Link to="/admin/stages">Go to pipelines and stages</Link>}>An administrator makes one with its stages.</Empty></>
  return <OnePipeline key={chosen.id} pipeline={chosen} pipelines={pipelines.items} object={deal} search={search} />
}

/** OneOf narrows the board to one user or team. */
function OneOf({ of, label, any, value, onValue }: { of: 'user' | 'team'; label: string; any: string; value: string | undefined; onValue: (id: string | undefined) => void }): ReactNode {
  const { items } = useSmallList(of, null)
  const pick = (id: string): void => onValue(id === '' ? undefined : id)
  if (items.length >= smallList) {
    return <Suspense><RecordPicker to={of} among={null} value={value ?? ''} onValue={pick} label="" aria-label={label} placeholder={any} size="xs" /></Suspense>
  }
  const names = items.map((each) => ({ value: each.id, label: String(each.fields['name'] ?? each.id) })).sort((a, b) => a.label.localeCompare(b.label))
  return <NativeSelect size="xs" aria-label={label} value={value ?? ''} data={[{ value: '', label: any }, ...names]} onChange={(event) => pick(event.currentTarget.value)} />
}

function OnePipeline({ pipeline, pipelines, object, search }: { pipeline: Rec; pipelines: Rec[]; object: ObjectInfo; search: PipelineSearch }): ReactNode {
  const { me } = useSession()
  const navigate = useNavigate()
  const client = useQueryClient()
  const writing = useWriting('lists')
  const { move, dialog } = useDealMove(object, writing, null)
  const filter = useMemo<Predicate | null>(() => all([
    ...(search.owner === undefined ? [] : [{ field: 'owner', op: 'eq' as const, value: search.owner }]),
    ...(search.team === undefined ? [] : [{ field: 'team', op: 'eq' as const, value: search.team }]),
  ]), [search.owner, search.team])
  const stages = useQuery({ queryKey: stagesKey(pipeline.id), queryFn: ({ signal }) => fetchStages(pipeline.id, signal) })
  const sums = useQuery({ queryKey: boardKey(pipeline.id, filter), queryFn: ({ signal }) => fetchBoard(pipeline.id, filter, signal), placeholderData: keepPreviousData, refetchInterval: 30_000 })
  const columns = useColumns(stages.data, sums.data)
  const by = fieldOf(object, 'stage')
  const set = (part: Partial<PipelineSearch>): void => void navigate({ to: '/pipeline', search: { ...search, ...part }, replace: true })

  // The sums come out of the warehouse, which hears of a move a moment later.
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const again = (): void => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => void client.invalidateQueries({ queryKey: ['pipeline', pipeline.id] }), 1500)
  }
  const moveTo = async (record: Rec, to: BoardColumn): Promise<Moved | null> => {
    const stage = stages.data?.find((each) => each.id === to.key)
    if (stage === undefined) return null
    const moved = await move(record, stage)
    again()
    return moved === null ? null : {
      undo: async () => {
        await moved.undo()
        again()
      },
    }
  }
  const mine = search.owner === me.user.id
  return (
    <>
      <PageHead title="Pipeline" scope={<>{String(pipeline.fields['name'] ?? pipeline.id)} · what stands open now, and what was won since the first of the month</>}>
        {pipelines.length > 1 && <NativeSelect size="xs" aria-label="Pipeline" value={pipeline.id} data={pipelines.map((each) => ({ value: each.id, label: String(each.fields['name'] ?? each.id) }))} onChange={(event) => set({ pipeline: event.currentTarget.value, at: undefined })} />}
        {me.user.id !== '' && <Button size="xs" variant={mine ? 'filled' : 'default'} aria-pressed={mine} onClick={() => set({ owner: mine ? undefined : me.user.id })}>Mine</Button>}
        <OneOf of="user" label="Owner" any="Any owner" value={search.owner} onValue={(owner) => set({ owner })} />
        <OneOf of="team" label="Team" any="Any team" value={search.team} onValue={(team) => set({ team })} />
        <NativeSelect size="xs" aria-label="Order of cards" value={search.sort ?? '-amount'} data={boardSorts.map((value) => ({ value, label: sortNames[value] }))} onChange={(event) => set({ sort: boardSorts.find((each) => each === event.currentTarget.value) })} />
      </PageHead>
      <Strip sums={sums} />
      {stages.isError && <Failed what="The board" error={stages.error} retry={() => void stages.refetch()} />}
      {stages.isPending && <Waiting rows={6} height={64} label="The board" />}
      {stages.data?.length === 0 && <Empty title="This pipeline has no stages yet" action={<Link to="/admin/stages" search={{ pipeline: pipeline.id }}>Go to its stages</Link>} />}
      {stages.data !== undefined && stages.data.length > 0 && by !== undefined && (
        <Board object={object} by={by} columns={columns} filter={filter} sort={search.sort ?? '-amount'} move={mayWrite(me, object.writeBy) ? moveTo : null}
          showing={search.at} onShowing={(at) => set({ at })} card={(record) => <DealLines record={record} stage={stages.data.find((each) => each.id === record.fields['stage'])} />} />
      )}
      {dialog}
    </>
  )
}

function useColumns(stages: StageInWords[] | undefined, sums: BoardSums | undefined): BoardColumn[] {
  const format = useFormat()
  const say = useSums()
  return useMemo(() => (stages ?? []).map((stage) => {
    const column = sums?.stages.find((each) => each.id === stage.id)
    const numbers = column === undefined ? ' ' : [format.whole(column.count), say(column.sums), ...(stage.status === 'open' && column.weighted.length > 0 ? [`${say(column.weighted)} weighted`] : [])].filter((each) => each !== '').join(' · ')
    return { key: stage.id, title: stage.name, head: numbers, tone: stage.status, help: <StageHelp stage={stage} /> }
  }), [stages, sums, format, say])
}

/** DealLines is what stands under a deal's name on its card. */
function DealLines({ record, stage }: { record: Rec; stage: StageInWords | undefined }): ReactNode {
  const format = useFormat()
  const amount = readMoney(record.fields['amount'])
  const entered = record.fields['stage_entered_at']
  const days = typeof entered === 'string' ? daysSince(entered) : null
  const limit = stage?.ageLimitDays ?? null
  const step = record.fields['next_step']
  const on = record.fields['next_step_on']
  const plan = [typeof step === 'string' ? step : '', typeof on === 'string' ? format.dayMonth(on) : ''].filter((each) => each !== '').join(' · ')
  const open = record.fields['status'] === 'open'
  return (
    <>
      <div className={css['foot']}>
        {amount !== null && <span className={`${css['amount']} num`}>{format.money(amount)}</span>}
        {record.titles['owner'] !== undefined && <span className="dim">{record.titles['owner']}</span>}
      </div>
      {open && days !== null && (
        <div className={css['foot']}>
          <span className="dim num">{days === 1 ? '1 day' : `${format.whole(days)} days`} here{limit === null ? '' : ` of ${format.whole(limit)}`}</span>
          {limit !== null && days >= limit && <Tag tone="watch">Stale</Tag>}
          {record.fields['stagnation'] === 'reengage' && <Tag tone="bad">To re-engage</Tag>}
        </div>
      )}
      {open && <div className={`${css['line']} ${plan === '' ? 'bad' : ''}`}>{plan === '' ? 'No next step' : plan}</div>}
    </>
  )
}
