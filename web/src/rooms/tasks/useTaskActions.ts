import { useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { send } from '../../api/client'
import type { Json } from '../../api/decode'
import type { Rec } from '../../api/records'
import { useFormat } from '../../app/session'
import { tell, tellFailure } from '../../kit/tell'
import { useWriting } from '../record/writing'

export interface TaskActions {
  done: (task: Rec) => void
  snooze: (tasks: Rec[], day: string) => void
  reassign: (tasks: Rec[], owner: string, name: string) => void
}

/** useTaskActions does what tasks are for, each with six seconds to take it back. Of many tasks each is written by itself: what others changed meanwhile stays. */
export function useTaskActions(): TaskActions {
  const client = useQueryClient()
  const format = useFormat()
  const writing = useWriting()
  return useMemo(() => {
    const name = (task: Rec): string => (typeof task.fields['subject'] === 'string' ? task.fields['subject'] : task.id)
    const one = async (task: Rec, fields: Record<string, Json>, words: string): Promise<void> => {
      const saved = await writing.save(task, fields, null)
      if (saved.kind === 'conflict') return tell(`Somebody changed ${name(task)} meanwhile. It was left as it is.`)
      tell(words, {
        label: 'Undo',
        run: async () => {
          await writing.save(saved.record, Object.fromEntries(Object.keys(fields).map((key) => [key, task.fields[key] ?? null])), null)
        },
      })
    }
    const many = async (tasks: Rec[], fields: Record<string, Json>, words: (n: number) => string): Promise<void> => {
      const write = async (list: { task: Rec; version: number; fields: Record<string, Json> }[]): Promise<{ task: Rec; version: number }[]> => {
        const { body } = await send('POST', '/batch', { body: { operations: list.map((each) => ({ op: 'update', object: 'task', id: each.task.id, version: each.version, fields: each.fields })) } })
        const results = typeof body === 'object' && body !== null && !Array.isArray(body) && Array.isArray(body['results']) ? body['results'] : []
        await Promise.all(['records', 'timeline', 'related'].map((key) => client.invalidateQueries({ queryKey: [key] })))
        return list.flatMap(({ task }, i) => {
          const result = results[i]
          const record = typeof result === 'object' && result !== null && !Array.isArray(result) ? result['record'] : null
          const version = typeof record === 'object' && record !== null && !Array.isArray(record) ? record['version'] : null
          return typeof version === 'number' ? [{ task, version }] : []
        })
      }
      const written = await write(tasks.map((task) => ({ task, version: task.version, fields })))
      const left = tasks.length - written.length
      tell(`${words(written.length)}${left > 0 ? `; ${format.whole(left)} were changed by others meanwhile and left` : ''}`, {
        label: 'Undo',
        run: async () => {
          await write(written.map((each) => ({ ...each, fields: Object.fromEntries(Object.keys(fields).map((key) => [key, each.task.fields[key] ?? null])) })))
        },
      })
    }
    const attempt = (what: string, run: Promise<void>): void => void run.catch((problem: unknown) => tellFailure(what, problem))
    return {
      done: (task) => attempt('The task was not closed', one(task, { status: 'done' }, `Done: ${name(task)}`)),
      snooze: ([first, ...rest], day) => {
        if (first === undefined) return
        if (rest.length === 0) attempt('The task was not put off', one(first, { due_on: day }, `${name(first)} is due ${format.date(day)}`))
        else attempt('The tasks were not put off', many([first, ...rest], { due_on: day }, (n) => `${format.whole(n)} tasks are due ${format.date(day)}`))
      },
      reassign: (tasks, owner, who) => attempt('The tasks were not given away', many(tasks, { owner }, (n) => `${format.whole(n)} ${n === 1 ? 'task is' : 'tasks are'} now with ${who}`)),
    }
  }, [client, format, writing])
}
