import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useRef } from 'react'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useKeys } from '../../app/keys'
import { useFormat } from '../../app/session'
import type { Format } from '../../format/format'
import { Tag } from '../../kit/Change'
import { recordPath, titleOf } from './names'
import { isNumeric, writeValue } from './value'
import css from './View.module.css'

interface Props {
  object: ObjectInfo
  columns: FieldInfo[]
  items: Rec[]
  sort: string
  stale: boolean
  onSort: (sort: string) => void
  onOpen: (record: Rec) => void
}

/** RecordTable lists records: the title leads to the record, J and K walk, a heading sorts. */
export function RecordTable({ object, columns, items, sort, stale, onSort, onOpen }: Props): ReactNode {
  const format = useFormat()
  const body = useRef<HTMLTableSectionElement>(null)
  const move = (by: number): void => {
    const links = [...(body.current?.querySelectorAll<HTMLAnchorElement>('a[data-row]') ?? [])]
    const at = links.findIndex((link) => link === document.activeElement)
    const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))]
    next?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  useKeys({ j: () => move(1), k: () => move(-1) })
  const title = object.fields.find((field) => field.name === object.title)
  return (
    <div className={css['scroll']} tabIndex={-1}>
      <table className={css['table']} aria-busy={stale} data-stale={stale || undefined}>
        <caption className="sr">{object.plural}</caption>
        <thead>
          <tr>
            {title !== undefined && <Head field={title} sort={sort} onSort={onSort} />}
            {columns.map((field) => <Head key={field.name} field={field} sort={sort} onSort={onSort} />)}
          </tr>
        </thead>
        <tbody ref={body}>
          {items.map((record) => (
            <tr key={record.id} onClick={(event) => {
              // The row is one large target; a link inside it, or marked text, keeps its own meaning.
              if (event.target instanceof Element && event.target.closest('a, button') === null && window.getSelection()?.isCollapsed !== false) onOpen(record)
            }}>
              <th scope="row"><Link to={recordPath(object.name, record.id)} data-row className={css['link']}>{titleOf(object, record)}</Link></th>
              {columns.map((field) => <td key={field.name} className={isNumeric(field) ? `${css['right']} num` : undefined}><Cell field={field} record={record} format={format} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Head({ field, sort, onSort }: { field: FieldInfo; sort: string; onSort: (sort: string) => void }): ReactNode {
  const first = sort.split(',')[0] ?? ''
  const down = first === `-${field.name}`
  const here = down || first === field.name
  const right = isNumeric(field) ? css['right'] : undefined
  // What has no index would be slow to sort, and the order of references would be that of their numbers.
  if (!field.indexed || field.kind === 'reference') return <th scope="col" className={right} title={field.help}>{field.label}</th>
  // Numbers and times are first asked from the top.
  const fresh = isNumeric(field) || field.kind === 'date' || field.kind === 'instant' ? `-${field.name}` : field.name
  return (
    <th scope="col" className={right} aria-sort={here ? (down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className={css['sort']} title={field.help} onClick={() => onSort(here ? (down ? field.name : `-${field.name}`) : fresh)}>
        {field.label}{here && (down ? <IconArrowDown size={13} /> : <IconArrowUp size={13} />)}
      </button>
    </th>
  )
}

const toneOf: Record<string, 'good' | 'bad' | 'accent'> = { won: 'good', lost: 'bad', open: 'accent' }

function Cell({ field, record, format }: { field: FieldInfo; record: Rec; format: Format }): ReactNode {
  const value = record.fields[field.name]
  const words = writeValue(field, value, record.titles[field.name], format)
  if (value === null || value === undefined) return <span className="dim">{words}</span>
  // A stage has the colour of what it makes of the deal.
  const status = record.fields['status']
  const tone = (field.name === 'status' || field.to === 'stage') && typeof status === 'string' ? toneOf[status] : undefined
  if (tone !== undefined) return <Tag tone={tone}>{words}</Tag>
  return <span className={css['cell']} title={words.length > 28 ? words : undefined}>{words}</span>
}
