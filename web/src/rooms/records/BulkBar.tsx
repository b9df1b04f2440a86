import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { send } from '../../api/client'
import { type Job, startBulk } from '../../api/jobs'
import type { ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { tell, tellFailure } from '../../kit/tell'
import css from './BulkBar.module.css'
import type { Selection } from './useSelection'

const JobProgress = lazy(async () => ({ default: (await import('./JobProgress')).JobProgress }))
const BulkEdit = lazy(async () => ({ default: (await import('./BulkEdit')).BulkEdit }))

interface Props {
  object: ObjectInfo
  filter: Predicate | null
  items: Rec[]
  count: { value: number; capped: boolean }
  selection: Selection
}

/** BulkBar stands under the list while rows are chosen, and says what can be done with them. */
export function BulkBar({ object, filter, items, count, selection }: Props): ReactNode {
  const format = useFormat()
  const client = useQueryClient()
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null)
  const [busy, setBusy] = useState(false)
  const [job, setJob] = useState<Job | null>(null)
  const chosen = items.filter((record) => selection.ids.has(record.id))
  const n = selection.everything ? count.value : selection.ids.size
  if (n === 0) return null
  const words = `${format.whole(n)}${selection.everything && count.capped ? '+' : ''}`
  const noun = n === 1 ? object.label.toLowerCase() : object.plural.toLowerCase()
  const allLoaded = !selection.everything && items.length > 0 && chosen.length === items.length && (count.value > items.length || count.capped)

  const remove = async (): Promise<void> => {
    setBusy(true)
    try {
      if (selection.everything || chosen.length !== selection.ids.size || chosen.length > 1000) { // more than one request takes: the server's work
        setJob(await startBulk(object.name, selection.everything ? { filter } : { ids: [...selection.ids] }, 'delete', {}, false))
        setOpen(null)
        return
      }
      const operate = async (op: 'delete' | 'restore', list: Rec[]): Promise<number> => {
        const answer = await send('POST', '/batch', { body: { operations: list.map((record) => ({ op, object: object.name, id: record.id, ...(op === 'delete' ? { version: record.version } : {}) })) } })
        const results = typeof answer.body === 'object' && answer.body !== null && !Array.isArray(answer.body) ? answer.body['results'] : null
        return Array.isArray(results) ? results.filter((each) => typeof each === 'object' && each !== null && !Array.isArray(each) && typeof each['status'] === 'number' && each['status'] < 300).length : 0
      }
      const done = await operate('delete', chosen)
      await client.invalidateQueries({ queryKey: ['records'] })
      selection.clear()
      setOpen(null)
      tell(done === chosen.length ? `${format.whole(done)} deleted` : `${format.whole(done)} of ${format.whole(chosen.length)} deleted; the others were changed meanwhile or are not yours to delete`, {
        label: 'Undo',
        run: async () => {
          const back = await operate('restore', chosen)
          await client.invalidateQueries({ queryKey: ['records'] })
          tell(`${format.whole(back)} restored`)
        },
      })
    } catch (problem) {
      tellFailure('They were not deleted', problem)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className={css['bar']} role="region" aria-label="Selected records">
      <span role="status"><strong className="num">{words}</strong> selected</span>
      {allLoaded && <Button size="compact-sm" variant="subtle" onClick={selection.putEverything}>Select all {format.whole(count.value)}{count.capped ? '+' : ''}{filter === null ? '' : ' that match'}</Button>}
      <Button size="compact-sm" variant="filled" onClick={() => setOpen('edit')}>Edit…</Button>
      <Button size="compact-sm" variant="default" onClick={() => setOpen('delete')}>Delete…</Button>
      <Button size="compact-sm" variant="subtle" onClick={selection.clear}>Clear selection</Button>
      {open === 'edit' && (
        <Suspense>
          <BulkEdit object={object} over={selection.everything ? { filter } : { ids: [...selection.ids] }} words={`${words} ${noun}`} onClose={(written) => {
            setOpen(null)
            if (written) selection.clear()
          }} />
        </Suspense>
      )}
      {job !== null && (
        <Suspense>
          <JobProgress first={job} title={`Delete ${words} ${noun}`} onClose={() => {
            setJob(null)
            selection.clear()
          }} />
        </Suspense>
      )}
      {open === 'delete' && (
        <Dialog title={`Delete ${words} ${noun}?`} onClose={() => setOpen(null)} width={420}>
          <p>They leave all lists. Their history stays, and each can be restored.</p>
          <div className={css['buttons']}><Button color="red.9" loading={busy} onClick={() => void remove()}>Delete {words} {noun}</Button><Button variant="default" onClick={() => setOpen(null)}>Cancel</Button></div>
        </Dialog>
      )}
    </div>
  )
}
