import { Button, NativeSelect } from '@mantine/core'
import { IconArrowBackUp, IconChecklist, IconHistory, IconPencil, type IconPhone, IconPlus, IconTrash } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { useFormat } from '../../app/session'
import { type Format, undefinedMark } from '../../format/format'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { Empty, Failed, Waiting } from '../../kit/states'
import { recordPath } from '../records/names'
import { writeValue } from '../records/value'
import { activityIcons } from './activityIcons'
import { type FieldChange, fetchTimeline, type TimelineItem, timelineKey } from './contract'
import css from './Timeline.module.css'

interface Props {
  object: ObjectInfo
  id: string
  objects: ObjectInfo[]
}

/** Timeline tells what happened to a record and around it, newest first, each change with before and after; it can be narrowed to one kind. */
export function Timeline({ object, id, objects }: Props): ReactNode {
  const format = useFormat()
  const [only, setOnly] = useState('')
  const of = only === '' ? [] : [only]
  const history = useInfiniteQuery({
    queryKey: timelineKey(object.name, id, of),
    queryFn: ({ pageParam, signal }) => fetchTimeline(object.name, id, of, pageParam, signal),
    initialPageParam: null as string | null, // null is the newest page; the type would be only null without it
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: keepPreviousData,
  })
  const items = history.data?.pages.flatMap((page) => page.items) ?? []
  const around = objects.filter((each) => each.name !== object.name && each.timelineOf.some((name) => fieldOf(each, name)?.to === object.name))
  return (
    <Card title="Timeline" stale={history.isPlaceholderData} aside={
      <>
        <span>newest first · {format.place.zone.split('/').pop()?.replaceAll('_', ' ') ?? ''}</span>
        {around.length > 0 && <NativeSelect size="xs" aria-label="Shown on the timeline" value={only} onChange={(event) => setOnly(event.currentTarget.value)}
          data={[{ value: '', label: 'Everything' }, { value: object.name, label: `This ${object.label.toLowerCase()} only` }, ...around.map((each) => ({ value: each.name, label: each.plural }))]} />}
      </>
    }>
      {history.data === undefined
        ? history.isError ? <Failed what="The timeline" error={history.error} retry={() => void history.refetch()} /> : <Waiting rows={6} height={40} label="The timeline" />
        : items.length === 0 ? <Empty title={only === '' ? 'Nothing has happened yet' : 'Nothing of this kind has happened'} /> : (
          <ol className={css['list']}>
            {items.map((item) => <Item key={`${item.object}-${item.id}-${item.version}-${item.position}-${item.kind}-${item.happenedAt}`} item={item} own={item.id === id} objects={objects} format={format} />)}
          </ol>
        )}
      {history.isError && history.data !== undefined && <Failed what="The older entries" error={history.error} retry={() => void history.fetchNextPage()} />}
      {history.hasNextPage && <div className={css['more']}><Button size="xs" variant="default" loading={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>Show older</Button></div>}
    </Card>
  )
}

const kindIcons: Record<string, typeof IconPhone> = { created: IconPlus, updated: IconPencil, deleted: IconTrash, restored: IconArrowBackUp, restated: IconHistory }
const verbs: Record<string, string> = { created: 'created', updated: 'changed', deleted: 'deleted', restored: 'restored', restated: 'restated' }

function Item({ item, own, objects, format }: { item: TimelineItem; own: boolean; objects: ObjectInfo[]; format: Format }): ReactNode {
  const object = objects.find((each) => each.name === item.object)
  const type = item.changes.find((change) => change.field === 'type')?.after
  const Icon = (item.object === 'activity' && typeof type === 'string' ? activityIcons[type] : item.object === 'task' ? IconChecklist : undefined) ?? kindIcons[item.kind] ?? IconPencil
  const verb = verbs[item.kind] ?? item.kind
  const who = item.actor.name === '' ? (item.actor.kind === 'system' ? 'Canopy' : 'Somebody') : item.actor.name
  // Written later than it happened: both times are said.
  const late = !item.happenedUnknown && Date.parse(item.recordedAt) - Date.parse(item.happenedAt) > 60_000
  return (
    <li className={css['item']}>
      <span className={css['icon']}><Icon size={15} /></span>
      <div className={css['body']}>
        <div className={css['line']}>
          <span><strong><bdi>{who}</bdi></strong> {verb}{own ? '' : <> {object?.label.toLowerCase() ?? item.object} <Link to={recordPath(item.object, item.id)}><bdi>{item.title === '' ? item.id : item.title}</bdi></Link></>}</span>
          <time className={css['time']} dateTime={item.happenedAt}>{item.happenedUnknown ? 'time not known' : format.instant(item.happenedAt)}</time>
        </div>
        <Changes item={item} own={own} object={object} format={format} />
        {(late || item.happenedUnknown || showCause(item.cause)) && (
          <div className={css['tags']}>
            {(late || item.happenedUnknown) && <Tag title="When it was written down">recorded {format.instant(item.recordedAt)}</Tag>}
            {showCause(item.cause) && <Tag title="What brought this change">{causeWords(item.cause)}</Tag>}
          </div>
        )}
      </div>
    </li>
  )
}

const showCause = (cause: string): boolean => cause !== '' && cause !== 'screen' && cause !== 'api'

function causeWords(cause: string): string {
  const [kind, rest] = cause.split(':', 2)
  return rest === undefined ? cause : `${kind ?? ''} ${rest}`
}

function Changes({ item, own, object, format }: { item: TimelineItem; own: boolean; object: ObjectInfo | undefined; format: Format }): ReactNode {
  const made = item.kind === 'created'
  // What was made is known by its name; its many first values stay folded away.
  const all = item.changes.filter((change) => change.after !== null || change.before !== null).filter((change) => own || change.field !== object?.title)
  // What rules wrote beside a person's change follows from it.
  const chosen = all.filter((change) => object?.fields.find((field) => field.name === change.field)?.readOnly !== true)
  const shown = chosen.length > 0 ? chosen : all
  if (shown.length === 0) return null
  const list = (
    <ul className={css['changes']}>
      {shown.map((change) => {
        const text = (value: FieldChange['after'], title: string | null): string => {
          const field = object?.fields.find((each) => each.name === change.field)
          return field === undefined ? (value === null ? undefinedMark : String(value)) : writeValue(field, value, title ?? undefined, format)
        }
        return (
          <li key={change.field}>
            <span className="dim">{change.label}</span>{' '}
            {!made && <><del>{text(change.before, change.beforeTitle)}</del> <span aria-label="to">→</span> </>}
            <ins>{text(change.after, change.afterTitle)}</ins>
          </li>
        )
      })}
    </ul>
  )
  return made && shown.length > 4 ? <details className={css['details']}><summary>{shown.length} fields</summary>{list}</details> : list
}
