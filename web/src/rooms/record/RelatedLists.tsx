import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import type { Format } from '../../format/format'
import { Card } from '../../kit/Card'
import { Empty, Failed, Waiting } from '../../kit/states'
import { listPath, recordPath, titleOf } from '../records/names'
import { writeValue } from '../records/value'
import type { Related, RelatedGroup } from './contract'
import css from './RelatedLists.module.css'

interface Props {
  record: Rec
  objects: ObjectInfo[]
  related: Related | undefined
  error: Error | null
  retry: () => void
}

/** RelatedLists shows what points to a record: the latest of each kind, and the way to all of them. */
export function RelatedLists({ record, objects, related, error, retry }: Props): ReactNode {
  const format = useFormat()
  if (related === undefined) return <Card title="Related">{error === null ? <Waiting rows={5} height={22} label="What belongs to it" /> : <Failed what="What belongs to it" error={error} retry={retry} />}</Card>
  if (related.groups.length === 0) return <Card title="Related"><Empty title="Nothing refers to it yet" /></Card>
  const byUse = [...related.groups].sort((a, b) => placeOf(a) - placeOf(b))
  const twice = (group: RelatedGroup): boolean => related.groups.some((each) => each !== group && each.object === group.object)
  return byUse.map((group) => {
    const object = objects.find((each) => each.name === group.object)
    if (object === undefined) return null
    const words = `${format.whole(group.count.value)}${group.count.capped ? '+' : ''}`
    return (
      <Card key={`${group.object}.${group.field}`} flush title={<>{group.label}{twice(group) && <span className="dim"> · {group.name}</span>} <span className={`${css['count']} num`}>{words}</span></>}
        aside={<Link to={listPath(group.object)} search={{ filter: { field: group.field, op: 'eq', value: record.id } }} aria-label={`All ${words} ${group.label.toLowerCase()}`}>All</Link>}>
        <ul className={css['list']}>
          {group.items.map((each) => (
            <li key={each.id} className={css['item']}>
              <Link to={recordPath(each.object, each.id)} className={css['name']}><bdi>{titleOf(object, each)}</bdi></Link>
              <span className={css['facts']}><bdi>{factsOf(object, each, format)}</bdi></span>
            </li>
          ))}
        </ul>
      </Card>
    )
  })
}

/** What people look for first stands first; the rest follows by name. */
const order = ['deal', 'task', 'ticket', 'contact', 'subscription', 'order', 'quote', 'lead', 'appointment']

function placeOf(group: RelatedGroup): number {
  const at = order.indexOf(group.object)
  return at < 0 ? order.length : at
}

/** The few fields that tell one record from another in a short line. */
const telling = ['role', 'stage', 'status', 'severity', 'amount', 'total', 'mrr', 'due_on', 'job_title', 'starts_at']

function factsOf(object: ObjectInfo, record: Rec, format: Format): string {
  return telling.flatMap((name) => {
    const field = fieldOf(object, name)
    const value = record.fields[name] ?? null
    if (field === undefined || value === null || (name === 'status' && record.fields['stage'] !== undefined)) return []
    return [writeValue(field, value, record.titles[name], format)]
  }).slice(0, 3).join(' · ')
}
