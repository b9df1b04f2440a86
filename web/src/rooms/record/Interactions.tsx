import { IconNote } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { Card } from '../../kit/Card'
import { Tag } from '../../kit/Change'
import { Empty } from '../../kit/states'
import { listPath, recordPath, titleOf } from '../records/names'
import { writeValue } from '../records/value'
import { activityIcons } from './activityIcons'
import css from './Interactions.module.css'

interface Props {
  object: ObjectInfo
  record: Rec
  activity: ObjectInfo
  /** the last activities, newest first */
  items: Rec[]
  /** the reader may log: the empty state says how */
  logs: boolean
}

/** Interactions are the last things done with somebody, short enough to be read before a call. */
export function Interactions({ object, record, activity, items, logs }: Props): ReactNode {
  const format = useFormat()
  const link = activity.timelineOf.find((name) => fieldOf(activity, name)?.to === object.name)
  const outcome = fieldOf(activity, 'outcome')
  return (
    <Card title="Last interactions" flush aside={items.length > 0 && link !== undefined && <Link to={listPath('activity')} search={{ filter: { field: link, op: 'eq', value: record.id }, sort: '-done_at' }}>All</Link>}>
      {items.length === 0
        ? <Empty title="Nothing has been logged yet">{logs && 'Press L and write down the first call.'}</Empty>
        : (
          <ol className={css['list']} aria-label="Last interactions">
            {items.map((each) => {
              const type = each.fields['type']
              const Icon = (typeof type === 'string' ? activityIcons[type] : undefined) ?? IconNote
              const body = each.fields['body']
              const result = each.fields['outcome'] ?? null
              const at = each.fields['done_at']
              return (
                <li key={each.id} className={css['item']}>
                  <span className={css['icon']} title={String(type ?? '')}><Icon size={15} /></span>
                  <div className={css['words']}>
                    <div className={css['line']}>
                      <Link to={recordPath('activity', each.id)} className={css['name']}><bdi>{titleOf(activity, each)}</bdi></Link>
                      {outcome !== undefined && result !== null && <Tag>{writeValue(outcome, result, undefined, format)}</Tag>}
                    </div>
                    <div className={css['more']}>
                      <time dateTime={typeof at === 'string' ? at : each.createdAt}>{format.moment(typeof at === 'string' ? at : each.createdAt)}</time>
                      {each.titles['owner'] !== undefined && <> · <bdi>{each.titles['owner']}</bdi></>}
                      {typeof body === 'string' && <> · <bdi>{body}</bdi></>}
                    </div>
                  </div>
                </li>
              )
            })}
          </ol>
        )}
    </Card>
  )
}
