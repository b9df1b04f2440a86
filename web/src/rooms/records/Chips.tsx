import { Button, CloseButton, Popover } from '@mantine/core'
import { IconAdjustmentsHorizontal, IconFilterPlus } from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { ObjectInfo } from '../../api/objects'
import { all, parts, type Predicate } from '../../api/predicate'
import { useFormat } from '../../app/session'
import css from './Chips.module.css'
import { describe, referredIds } from './describe'
import { useTitles } from './queries'

const FilterBuilder = lazy(async () => ({ default: (await import('./FilterBuilder')).FilterBuilder }))
const FilterForm = lazy(async () => ({ default: (await import('./FilterForm')).FilterForm }))

interface Props {
  object: ObjectInfo
  objects: ObjectInfo[]
  filter: Predicate | null
  onFilter: (filter: Predicate | null) => void
}

/** Chips shows the filter as words, part by part, each with its way out, and adds to it. A chip opens the whole filter. */
export function Chips({ object, objects, filter, onFilter }: Props): ReactNode {
  const format = useFormat()
  const list = parts(filter)
  const title = useTitles(filter === null ? [] : referredIds(filter), objects)
  const [building, setBuilding] = useState(false)
  return (
    <div className={css['chips']} role="group" aria-label="Filters">
      {list.map((part, i) => {
        const words = describe(part, object, { objects, format, title })
        return <span key={i} className={css['chip']}><button type="button" className={css['open']} aria-label={`Change filter: ${words}`} onClick={() => setBuilding(true)}>{words}</button><CloseButton size={20} iconSize={13} aria-label={`Remove filter: ${words}`} onClick={() => onFilter(all(list.filter((_, j) => j !== i)))} /></span>
      })}
      <AddFilter object={object} onAdd={(part) => onFilter(all([...list, part]))} />
      <Button size="compact-xs" variant="subtle" leftSection={<IconAdjustmentsHorizontal size={15} />} onClick={() => setBuilding(true)}>All filters</Button>
      {list.length > 1 && <Button size="compact-xs" variant="subtle" onClick={() => onFilter(null)}>Clear all</Button>}
      {building && <Suspense><FilterBuilder object={object} objects={objects} filter={all(list)} title={title} onApply={onFilter} onClose={() => setBuilding(false)} /></Suspense>}
    </div>
  )
}

function AddFilter({ object, onAdd }: { object: ObjectInfo; onAdd: (part: Predicate) => void }): ReactNode {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" shadow="md" trapFocus width={300} withinPortal={false}>
      <Popover.Target><Button size="compact-xs" variant="subtle" leftSection={<IconFilterPlus size={15} />} onClick={() => setOpen(!open)}>Add filter</Button></Popover.Target>
      <Popover.Dropdown>
        <Suspense>
          <FilterForm object={object} onAdd={(part) => {
            onAdd(part)
            setOpen(false)
          }} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  )
}
