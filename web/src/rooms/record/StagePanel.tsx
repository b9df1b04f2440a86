import type { ReactNode } from 'react'
import type { PanelProps } from './panels'
import { StageBar } from './StageBar'

/** StagePanel puts the stages over a deal's page. */
export function StagePanel({ record, object, objects, writable, happenedAt, writing }: PanelProps): ReactNode {
  const stage = objects.find((each) => each.name === 'stage')
  return stage === undefined ? null : <StageBar record={record} object={object} stageObject={stage} writable={writable} happenedAt={happenedAt} writing={writing} />
}
