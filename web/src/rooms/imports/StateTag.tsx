import type { ReactNode } from 'react'
import { Tag } from '../../kit/Change'
import type { ImportState } from './contract'

const look: Record<ImportState, { tone: 'quiet' | 'watch' | 'good' | 'bad' | 'accent'; words: string }> = {
  waiting: { tone: 'accent', words: 'Waiting' }, running: { tone: 'accent', words: 'Running' }, done: { tone: 'good', words: 'Done' }, cancelled: { tone: 'quiet', words: 'Cancelled' },
  failed: { tone: 'bad', words: 'Failed' }, undoing: { tone: 'watch', words: 'Being undone' }, undone: { tone: 'quiet', words: 'Undone' },
}

export function StateTag({ state }: { state: ImportState }): ReactNode {
  return <Tag tone={look[state].tone}>{look[state].words}</Tag>
}
