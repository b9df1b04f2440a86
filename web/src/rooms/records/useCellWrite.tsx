import { useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { Json } from '../../api/decode'
import type { FieldInfo, ObjectInfo } from '../../api/objects'
import { type Rec, recordKey } from '../../api/records'
import { tell, tellFailure } from '../../kit/tell'
import { useWriting } from '../record/writing'
import { putInLists } from './cache'
import { titleOf } from './names'

const ConflictDialog = lazy(async () => ({ default: (await import('../record/ConflictDialog')).ConflictDialog }))

/**
 * useCellWrite changes one field of a listed record. The new value stands at once, with a way back for six seconds; what the server refuses goes
 * back by itself, with the reason. Where somebody else changed the same field meanwhile, `dialog` shows both values.
 */
export function useCellWrite(object: ObjectInfo, objects: ObjectInfo[]): { write: (seen: Rec, field: FieldInfo, value: Json) => void; dialog: ReactNode } {
  const client = useQueryClient()
  const writing = useWriting('lists')
  const [conflict, setConflict] = useState<{ theirs: Rec; mine: Record<string, Json> } | null>(null)

  /** nameOf names what a reference points to, from what the choosing has fetched. */
  const nameOf = (field: FieldInfo, value: Json): string | undefined => {
    const target = objects.find((each) => each.name === field.to)
    const record = typeof value === 'string' ? client.getQueryData<Rec>(recordKey(field.to, value)) : undefined
    return target === undefined || record === undefined ? undefined : titleOf(target, record)
  }
  const put = async (over: Rec, field: FieldInfo, value: Json): Promise<void> => {
    const name = nameOf(field, value)
    const { [field.name]: _, ...titles } = over.titles
    putInLists(client, { ...over, fields: { ...over.fields, [field.name]: value }, titles: name === undefined ? titles : { ...titles, [field.name]: name } })
    try {
      const saved = await writing.save(over, { [field.name]: value }, null)
      if (saved.kind === 'conflict') return setConflict({ theirs: saved.theirs, mine: { [field.name]: value } })
      tell(`${field.label} of ${titleOf(object, saved.record)} changed`, {
        label: 'Undo',
        run: async () => {
          const back = await writing.save(saved.record, { [field.name]: over.fields[field.name] ?? null }, null)
          tell(back.kind === 'saved' ? `${field.label} is as it was` : `Somebody changed ${field.label} meanwhile. It was left as it is.`)
        },
      })
    } catch (problem) {
      putInLists(client, over)
      tellFailure(`${field.label} of ${titleOf(object, over)} was not changed`, problem)
    }
  }
  return {
    write: (seen, field, value) => void put(seen, field, value),
    dialog: conflict === null ? null : (
      <Suspense>
        <ConflictDialog object={object} theirs={conflict.theirs} mine={conflict.mine} onKeep={() => setConflict(null)}
          onWrite={async (values) => {
            const saved = await writing.save(conflict.theirs, values, null)
            if (saved.kind === 'conflict') return setConflict({ theirs: saved.theirs, mine: values })
            setConflict(null)
            tell('Your values are saved')
          }} />
      </Suspense>
    ),
  }
}
