// Writing a record from the screen: one version at a time, and nobody's work is overwritten unseen.
import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import type { Json } from '../../api/decode'
import { Problem } from '../../api/problem'
import { fetchRecord, patchRecord, type Rec, recordKey } from '../../api/records'
import { putInLists } from '../records/cache'
import { relatedKey, timelineKey } from './contract'

export type Saved = { kind: 'saved'; record: Rec } | { kind: 'conflict'; theirs: Rec }

export interface Writing {
  /** save patches the record; where somebody else changed the same fields since, it writes nothing and gives their record. */
  save: (seen: Rec, fields: Record<string, Json>, happenedAt: string | null, override?: string) => Promise<Saved>
  /** show puts a record that the server gave on the page, and asks again for what depends on it. */
  show: (record: Rec) => void
}

/** useWriting writes for one record's page. With 'lists' the lists keep their pages and show the record as it is now, and are asked again later only. */
export function useWriting(within?: 'lists'): Writing {
  const client = useQueryClient()
  const show = useCallback((record: Rec) => {
    client.setQueryData(recordKey(record.object, record.id), record)
    for (const key of [timelineKey(record.object, record.id), relatedKey(record.object, record.id), ['trees']]) void client.invalidateQueries({ queryKey: key })
    putInLists(client, record)
    void client.invalidateQueries({ queryKey: ['records'], refetchType: within === 'lists' ? 'none' : 'active' })
  }, [client, within])
  const save = useCallback(async (seen: Rec, fields: Record<string, Json>, happenedAt: string | null, override?: string): Promise<Saved> => {
    try {
      const record = await patchRecord(seen, fields, { happenedAt, override })
      show(record)
      return { kind: 'saved', record }
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412 || error.field === 'stage') throw error // a stage that asks for more is no conflict
      const theirs = await fetchRecord(seen.object, seen.id)
      if (sameIn(Object.keys(fields), seen, theirs)) { // other fields were changed: both changes stand
        const record = await patchRecord(theirs, fields, { happenedAt, override })
        show(record)
        return { kind: 'saved', record }
      }
      show(theirs)
      return { kind: 'conflict', theirs }
    }
  }, [show])
  return { save, show }
}

/** sameIn tells whether two states of a record agree in the named fields. */
export function sameIn(names: string[], a: Rec, b: Rec): boolean {
  return names.every((name) => JSON.stringify(a.fields[name] ?? null) === JSON.stringify(b.fields[name] ?? null))
}
