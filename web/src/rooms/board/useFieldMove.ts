import { useMemo } from 'react'
import type { FieldInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { tell } from '../../kit/tell'
import { useWriting } from '../record/writing'
import type { BoardColumn, Moved } from './Board'

/** useFieldMove gives the plain move of a board: it writes the column's value into the field, and its undo writes the old one. */
export function useFieldMove(by: FieldInfo): (record: Rec, to: BoardColumn) => Promise<Moved | null> {
  const writing = useWriting()
  return useMemo(() => async (record, to) => {
    const saved = await writing.save(record, { [by.name]: to.key }, null)
    if (saved.kind === 'conflict') {
      tell(`Somebody changed ${by.label.toLowerCase()} meanwhile. It was not moved again.`)
      return null
    }
    return { undo: async () => void (await writing.save(saved.record, { [by.name]: record.fields[by.name] ?? null }, null)) }
  }, [by, writing])
}
