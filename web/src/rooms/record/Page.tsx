import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconDots, IconTrash } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { deleteRecord, fetchRecord, type Rec, recordKey, restoreRecord } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useObjects } from '../../app/queries'
import { noteRecent } from '../../app/recent'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import { listPath, titleOf } from '../records/names'
import { writeValue } from '../records/value'
import { BackDate } from './BackDate'
import { fetchRelated, relatedKey } from './contract'
import { FieldRow } from './FieldRow'
import { LogForm } from './LogForm'
import css from './Page.module.css'
import { Interactions } from './Interactions'
import { Panels } from './Panels'
import { QuickActions } from './QuickActions'
import { RelatedLists } from './RelatedLists'
import { Timeline } from './Timeline'
import { backTo, TrailSteps } from './Trail'
import { useWriting, type Writing } from './writing'

export function DealPage(): ReactNode {
  const { id } = useParams({ from: '/app/deals/$id' })
  return <OnePage key={id} name="deal" id={id} />
}

export function RecordPage(): ReactNode {
  const { object, id } = useParams({ from: '/app/records/$object/$id' })
  return <OnePage key={id} name={object} id={id} />
}

function OnePage({ name, id }: { name: string; id: string }): ReactNode {
  const objects = useObjects()
  const record = useQuery({ queryKey: recordKey(name, id), queryFn: ({ signal }) => fetchRecord(name, id, signal) })
  const object = objects.data?.find((each) => each.name === name)
  if (objects.data !== undefined && object === undefined) return <><PageHead title="Record" /><Empty title={`There is no object “${name}”`} action={<Link to="/deals">Go to deals</Link>} /></>
  if (object !== undefined && objects.data !== undefined && record.data !== undefined) return <Whole object={object} objects={objects.data} record={record.data} refetchFailed={record.isError} />
  const error = objects.error ?? record.error
  return (
    <>
      <PageHead title={object?.label ?? 'Record'} scope=" " />
      <Card title={object?.label ?? 'Record'}>
        {error === null ? <Waiting rows={10} height={24} label="The record" /> : <Failed what={`This ${object?.label.toLowerCase() ?? 'record'}`} error={error} retry={() => void (objects.isError ? objects.refetch() : record.refetch())} />}
      </Card>
    </>
  )
}

function Whole({ object, objects, record, refetchFailed }: { object: ObjectInfo; objects: ObjectInfo[]; record: Rec; refetchFailed: boolean }): ReactNode {
  const { me } = useSession()
  const format = useFormat()
  const writing = useWriting()
  const [happenedAt, setHappenedAt] = useState<string | null>(null)
  const subject = useRef<HTMLInputElement>(null)
  const fields = useRef<HTMLDListElement>(null)
  const writable = mayWrite(me, object.writeBy) && !record.deleted
  const activity = objects.find((each) => each.name === 'activity')
  const task = objects.find((each) => each.name === 'task')
  const given = { record, object, objects, writable, happenedAt, writing }
  const told = activity !== undefined && activity.timelineOf.some((name) => fieldOf(activity, name)?.to === object.name)
  const logs = told && mayWrite(me, activity.writeBy) && !record.deleted
  const related = useQuery({ queryKey: relatedKey(object.name, record.id), queryFn: ({ signal }) => fetchRelated(object.name, record.id, signal) })
  useKeys({
    l: () => subject.current?.focus(),
    e: () => fields.current?.querySelector<HTMLButtonElement>('[data-edit]')?.click(),
  })
  const { filled, empty } = split(object, record)
  const title = titleOf(object, record)
  useEffect(() => noteRecent(me.user.id, { object: object.name, id: record.id, title }), [me.user.id, object.name, record.id, title])
  return (
    <>
      <PageHead title={title} scope={<><Link to={backTo(object.name, record.id) ?? listPath(object.name)}>{object.plural}</Link> · {record.id} · {summary(object, record, format)}{refetchFailed && <> · <span className="bad">could not be refreshed</span></>}</>}>
        <TrailSteps object={object} record={record} />
        {writable && <BackDate value={happenedAt} onValue={setHappenedAt} />}
        {writable && <MoreMenu object={object} record={record} writing={writing} />}
      </PageHead>
      <QuickActions record={record} log={logs ? subject : null} />
      {record.deleted && <Deleted object={object} record={record} writing={writing} />}
      <Panels place="top" {...given} />
      <div className={css['grid']}>
        <div className={css['left']}>
          <Card title="Details">
            <dl ref={fields} className={css['fields']}>
              {filled.map((field) => <FieldRow key={field.name} record={record} field={field} writable={writable} happenedAt={happenedAt} writing={writing} />)}
            </dl>
            {empty.length > 0 && (
              <details className={css['empty']}>
                <summary>{empty.length} empty {empty.length === 1 ? 'field' : 'fields'}</summary>
                <dl className={css['fields']}>
                  {empty.map((field) => <FieldRow key={field.name} record={record} field={field} writable={writable} happenedAt={happenedAt} writing={writing} />)}
                </dl>
              </details>
            )}
            <p className={css['meta']}>Version {format.whole(record.version)} · created {format.instant(record.createdAt)} · changed {format.instant(record.updatedAt)}</p>
          </Card>
        </div>
        <div className={css['middle']}>
          {logs && <LogForm record={record} activity={activity} task={task !== undefined && mayWrite(me, task.writeBy) ? task : undefined} happenedAt={happenedAt} subject={subject} />}
          {told && (related.data !== undefined ? <Interactions object={object} record={record} activity={activity} items={related.data.interactions} logs={logs} />
            : related.isError ? null : <Card title="Last interactions"><Waiting rows={5} height={32} label="The last interactions" /></Card>)}
          <Panels place="middle" {...given} />
          <div className={css['timeline']}><Timeline object={object} id={record.id} objects={objects} /></div>
        </div>
        <div className={css['right']}>
          <Panels place="side" {...given} />
          <RelatedLists record={record} objects={objects} related={related.data} error={related.error} retry={() => void related.refetch()} />
        </div>
      </div>
    </>
  )
}

/** split keeps a page short: what is filled or needed stands in sight, the rest under "empty fields". The title stands above. */
function split(object: ObjectInfo, record: Rec): { filled: ObjectInfo['fields']; empty: ObjectInfo['fields'] } {
  const isFilled = (field: ObjectInfo['fields'][number]): boolean => field.required || (record.fields[field.name] ?? null) !== null || usuallyShown.includes(field.name)
  // A deal's stage stands above and is moved there, where it asks for what the new stage needs.
  const fields = object.name === 'deal' ? object.fields.filter((field) => field.name !== 'stage' && field.name !== 'status') : object.fields
  return { filled: fields.filter(isFilled), empty: fields.filter((field) => !isFilled(field)) }
}

/** Fields that invite to be filled. */
const usuallyShown = ['amount', 'next_step', 'expected_close_on', 'account', 'owner', 'phone', 'email']

function summary(object: ObjectInfo, record: Rec, format: ReturnType<typeof useFormat>): string {
  const names = object.name === 'deal' ? ['amount', 'account', 'owner'] : ['account', 'owner']
  const words = names.flatMap((name) => {
    const field = fieldOf(object, name)
    const value = record.fields[name]
    return field === undefined || value === null || value === undefined ? [] : [writeValue(field, value, record.titles[name], format)]
  })
  return words.length === 0 ? object.label : words.join(' · ')
}

function MoreMenu({ object, record, writing }: { object: ObjectInfo; record: Rec; writing: Writing }): ReactNode {
  const restore = useRestore(object, record, writing)
  const remove = async (): Promise<void> => {
    await deleteRecord(record)
    writing.show({ ...record, deleted: true })
    tell(`${object.label} deleted`, { label: 'Undo', run: restore })
  }
  return (
    <Menu position="bottom-end" shadow="md" withinPortal={false}>
      <Menu.Target><ActionIcon variant="default" size={30} aria-label="More actions"><IconDots size={16} /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconTrash size={16} />} onClick={() => remove().catch((problem: unknown) => tellFailure(`The ${object.label.toLowerCase()} was not deleted`, problem))}>Delete {object.label.toLowerCase()}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function useRestore(object: ObjectInfo, record: Rec, writing: Writing): () => Promise<void> {
  const client = useQueryClient()
  return async () => {
    const restored = await restoreRecord(object.name, record.id)
    writing.show(restored)
    void client.invalidateQueries({ queryKey: recordKey(object.name, record.id) })
  }
}

function Deleted({ object, record, writing }: { object: ObjectInfo; record: Rec; writing: Writing }): ReactNode {
  const restore = useRestore(object, record, writing)
  return (
    <p className={css['deleted']} role="status">
      This {object.label.toLowerCase()} is deleted. Its history stays.{' '}
      <Button size="compact-sm" variant="default" onClick={() => restore().catch((problem: unknown) => tellFailure('It was not restored', problem))}>Restore</Button>
    </p>
  )
}
