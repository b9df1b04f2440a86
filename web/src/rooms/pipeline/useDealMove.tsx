import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { Json } from '../../api/decode'
import type { ObjectInfo } from '../../api/objects'
import { Problem, type ProblemDetail } from '../../api/problem'
import type { Rec } from '../../api/records'
import { tell } from '../../kit/tell'
import type { Moved } from '../board/Board'
import type { Writing } from '../record/writing'
import type { StageStatus } from './contract'

const MoveDialog = lazy(async () => ({ default: (await import('./MoveDialog')).MoveDialog }))

/** A stage as a move needs it. */
export interface StageRef {
  id: string
  name: string
  status: StageStatus
}

interface Asking {
  record: Rec
  to: StageRef
  needs: ProblemDetail[]
  done: (moved: Moved | null) => void
}

/**
 * useDealMove moves deals to stages. Where a stage asks for more, it opens a dialog that asks for exactly that; lost asks for its reason first.
 * `move` gives how to take the move back, or null where the deal stays: somebody else moved it, or the dialog was closed. `dialog` is to be shown.
 */
export function useDealMove(object: ObjectInfo, writing: Writing, happenedAt: string | null): { move: (record: Rec, to: StageRef) => Promise<Moved | null>; dialog: ReactNode } {
  const [asking, setAsking] = useState<Asking>()
  const write = async (record: Rec, to: StageRef, values: Record<string, Json>, override?: string): Promise<Moved | null> => {
    const saved = await writing.save(record, { stage: to.id, ...values }, happenedAt, override)
    if (saved.kind === 'conflict') {
      tell(`Somebody moved this deal to ${saved.theirs.titles['stage'] ?? 'another stage'} meanwhile. It was not moved again.`)
      return null
    }
    // What was filled in on the way stays: it is true wherever the deal stands.
    return { undo: async () => void (await writing.save(saved.record, { stage: record.fields['stage'] ?? null }, happenedAt)) }
  }
  const ask = (record: Rec, to: StageRef, needs: ProblemDetail[]): Promise<Moved | null> => new Promise((done) => setAsking({ record, to, needs, done }))
  const move = async (record: Rec, to: StageRef): Promise<Moved | null> => {
    const reason = object.fields.find((field) => field.requiredFrom === to.status && to.status === 'lost' && (record.fields[field.name] ?? null) === null)
    if (reason !== undefined) return ask(record, to, [{ field: reason.name, message: '' }])
    try {
      return await write(record, to, {})
    } catch (problem) {
      const needs = needsOf(problem)
      if (needs === null) throw problem
      return ask(record, to, needs)
    }
  }
  const close = (moved: Moved | null): void => {
    asking?.done(moved)
    setAsking(undefined)
  }
  const dialog = asking === undefined ? null : (
    <Suspense>
      <MoveDialog object={object} record={asking.record} to={asking.to} needs={asking.needs} onClose={() => close(null)}
        onMove={async (values, override) => close(await write(asking.record, asking.to, values, override))} />
    </Suspense>
  )
  return { move, dialog }
}

/** needsOf lists what a refused move asks for; null where it was refused for another reason. */
export function needsOf(problem: unknown): ProblemDetail[] | null {
  if (!(problem instanceof Problem)) return null
  if (problem.status === 412 && problem.field === 'stage') return problem.details
  if (problem.status === 422 && problem.field !== null && problem.field !== 'stage') return [{ field: problem.field, message: problem.message, ...(problem.remedy === null ? {} : { remedy: problem.remedy }) }]
  return null
}
