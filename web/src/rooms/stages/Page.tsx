import { Button, NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { undefinedMark } from '../../format/format'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { fetchStages, type StageInWords, stagesKey } from '../pipeline/contract'
import { newPath } from '../records/names'
import { byRank, useSmallList } from '../records/queries'
import css from './Page.module.css'
import { Policy } from './Policy'

const StageForm = lazy(async () => ({ default: (await import('./StageForm')).StageForm }))

/** StagesPage asks: what must be true to come into a stage and to leave it? */
export function StagesPage(): ReactNode {
  const search = useSearch({ from: '/app/admin/stages' })
  const navigate = useNavigate()
  const { me } = useSession()
  const objects = useObjects()
  const pipelines = useSmallList('pipeline', null)
  const ordered = [...pipelines.items].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
  const pipeline = ordered.find((each) => each.id === search.pipeline) ?? ordered[0]
  const deal = objects.data?.find((each) => each.name === 'deal')
  const stage = objects.data?.find((each) => each.name === 'stage')
  const error = objects.error ?? pipelines.error
  const admin = mayWrite(me, 'administrator')
  return (
    <>
      <PageHead title="Pipelines and stages" scope="What a deal must have to come into a stage and to leave it: asked on screen, in imports, through the API and of rules alike">
        {ordered.length > 1 && pipeline !== undefined && <NativeSelect size="xs" aria-label="Pipeline" value={pipeline.id} data={ordered.map((each) => ({ value: each.id, label: String(each.fields['name'] ?? each.id) }))} onChange={(event) => void navigate({ to: '/admin/stages', search: { pipeline: event.currentTarget.value } })} />}
        {admin && <Button size="xs" variant="default" component={Link} to={newPath('pipeline')}>New pipeline</Button>}
        {admin && pipeline !== undefined && <Button size="xs" variant="default" component={Link} to={newPath('stage')}>New stage</Button>}
      </PageHead>
      {error !== null && <Failed what="The stages" error={error} retry={() => void objects.refetch()} />}
      {error === null && (pipelines.pending || objects.isPending) && <Waiting rows={8} height={48} label="The stages" />}
      {error === null && !pipelines.pending && pipeline === undefined && <Empty title="There is no pipeline yet">A pipeline is a way of selling with stages of its own.</Empty>}
      {pipeline !== undefined && deal !== undefined && stage !== undefined && objects.data !== undefined && <One key={pipeline.id} pipeline={pipeline} deal={deal} stage={stage} objects={objects.data} admin={admin} />}
    </>
  )
}

function One({ pipeline, deal, stage, objects, admin }: { pipeline: Rec; deal: ObjectInfo; stage: ObjectInfo; objects: ObjectInfo[]; admin: boolean }): ReactNode {
  const words = useQuery({ queryKey: stagesKey(pipeline.id), queryFn: ({ signal }) => fetchStages(pipeline.id, signal) })
  const records = useSmallList('stage', { field: 'pipeline', op: 'eq', value: pipeline.id })
  const [editing, setEditing] = useState<Rec>()
  const error = words.error ?? records.error
  const stages = byRank(records.items)
  return (
    <>
      <Policy pipeline={pipeline} deal={deal} admin={admin} />
      {error !== null && <Failed what="The stages" error={error} retry={() => void words.refetch()} />}
      {error === null && (words.isPending || records.pending) && <Waiting rows={6} height={64} label="The stages" />}
      {words.data?.length === 0 && <Empty title="This pipeline has no stages yet">Give it an open stage to begin with, a won and a lost one.</Empty>}
      <ol className={css['stages']} aria-label={`Stages of ${String(pipeline.fields['name'] ?? '')}`}>
        {stages.map((record) => (
          <li key={record.id}><Stage record={record} words={words.data?.find((each) => each.id === record.id)} object={stage} onEdit={admin ? () => setEditing(record) : undefined} /></li>
        ))}
      </ol>
      {editing !== undefined && <Suspense><StageForm record={editing} deal={deal} stage={stage} objects={objects} onClose={() => setEditing(undefined)} /></Suspense>}
    </>
  )
}

function Stage({ record, words, object, onEdit }: { record: Rec; words: StageInWords | undefined; object: ObjectInfo; onEdit: (() => void) | undefined }): ReactNode {
  const format = useFormat()
  const name = String(record.fields['name'] ?? record.id)
  const option = (field: string): string => fieldOf(object, field)?.options.find((each) => each.value === record.fields[field])?.label ?? undefinedMark
  const probability = record.fields['probability']
  const age = record.fields['age_limit_days']
  const many = (count: { value: number; capped: boolean }, one: string, more: string): string => (count.value === 1 ? one : `${format.whole(count.value)}${count.capped ? '+' : ''} ${more}`)
  return (
    <Card title={`${String(record.fields['rank'] ?? '')} ${name}`} aside={onEdit !== undefined && <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Edit ${name}`}>Edit</Button>}>
      <dl className={css['facts']}>
        <div><dt>Status</dt><dd>{option('status')}</dd></div>
        <div><dt>Probability</dt><dd className="num">{typeof probability === 'number' ? format.percent(probability) : undefinedMark}</dd></div>
        <div><dt>Forecast</dt><dd>{option('forecast_category')}</dd></div>
        <div><dt>Age limit</dt><dd className="num">{typeof age === 'number' ? `${format.whole(age)} days` : undefinedMark}</dd></div>
        <div><dt>May be passed over by</dt><dd>{option('override_role')}</dd></div>
        <Asks title="To come in" help={words?.entryHelp} list={words?.entry} />
        <Asks title="To go on" help={words?.exitHelp} list={words?.exit} />
        <Asks title="Required from here on" help="" list={words?.required} />
        {words?.broken !== undefined && words.broken !== '' && <div className={css['wide']}><dt>Broken</dt><dd className="bad">{words.broken}</dd></div>}
        {words?.open != null && (
          <div className={css['wide']}>
            <dt>Open deals now</dt>
            <dd className={css['counts']}>
              <span className="num">{many(words.open.count, '1 deal', 'deals')}</span>
              {words.open.breaks.value > 0 ? <Tag tone="bad">{many(words.open.breaks, '1 breaks what it asks for', 'break what it asks for')}</Tag> : <Tag tone="good">none breaks what it asks for</Tag>}
              {words.open.stale.value > 0 && <Tag tone="watch">{many(words.open.stale, '1 over the age limit', 'over the age limit')}</Tag>}
            </dd>
          </div>
        )}
      </dl>
    </Card>
  )
}

function Asks({ title, help, list }: { title: string; help: string | undefined; list: string[] | undefined }): ReactNode {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {list === undefined || list.length === 0 ? 'Nothing' : <>{help !== '' && help}<ul className={css['list']}>{list.map((each) => <li key={each}>{each}</li>)}</ul></>}
      </dd>
    </div>
  )
}
