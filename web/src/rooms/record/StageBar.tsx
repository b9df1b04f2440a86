import { Button, Menu } from '@mantine/core'
import { IconCheck, IconChevronDown } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { tell, tellFailure } from '../../kit/tell'
import { statuses } from '../pipeline/contract'
import { useDealMove } from '../pipeline/useDealMove'
import { titleOf } from '../records/names'
import { byRank, useSmallList } from '../records/queries'
import css from './StageBar.module.css'
import type { Writing } from './writing'

interface Props {
  record: Rec
  object: ObjectInfo
  stageObject: ObjectInfo
  writable: boolean
  happenedAt: string | null
  writing: Writing
}

/** StageBar shows where a deal stands and moves it. A stage that asks for more, as lost asks for its reason, opens a dialog that asks for exactly that. */
export function StageBar({ record, object, stageObject, writable, happenedAt, writing }: Props): ReactNode {
  const pipeline = record.fields['pipeline']
  const { items, error } = useSmallList('stage', typeof pipeline === 'string' ? { field: 'pipeline', op: 'eq', value: pipeline } : null, typeof pipeline === 'string')
  const { move, dialog } = useDealMove(object, writing, happenedAt)
  const stages = byRank(items)
  const current = stages.find((stage) => stage.id === record.fields['stage'])
  const at = current === undefined ? -1 : stages.indexOf(current)

  const choose = async (stage: Rec): Promise<void> => {
    const name = titleOf(stageObject, stage)
    try {
      const moved = await move(record, { id: stage.id, name, status: statuses.find((each) => each === stage.fields['status']) ?? 'open' })
      if (moved !== null) tell(`Moved to ${name}`, { label: 'Undo', run: moved.undo })
    } catch (problem) {
      tellFailure('The deal was not moved', problem)
    }
  }
  const closed = current?.fields['status'] !== 'open'
  return (
    <div className={css['bar']}>
      {error !== null && <span className={css['error']}>The stages could not be read.</span>}
      <ol className={css['steps']} aria-label="Stages">
        {stages.filter((stage) => stage.fields['status'] === 'open' || stage === current).map((stage) => (
          <li key={stage.id} aria-current={stage === current ? 'step' : undefined} className={[css['step'], stage === current ? css[`now-${String(stage.fields['status'])}`] : stages.indexOf(stage) < at ? css['past'] : ''].join(' ')}>{titleOf(stageObject, stage)}</li>
        ))}
      </ol>
      {writable && stages.length > 0 && (
        <Menu position="bottom-end" width={210} shadow="md" withinPortal={false}>
          <Menu.Target><Button size="xs" rightSection={<IconChevronDown size={15} />}>{closed ? 'Re-open or move' : 'Move stage'}</Button></Menu.Target>
          <Menu.Dropdown>
            {stages.map((stage) => (
              <Menu.Item key={stage.id} disabled={stage === current} rightSection={stage === current ? <IconCheck size={15} /> : null} onClick={() => void choose(stage)}>
                {titleOf(stageObject, stage)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {dialog}
    </div>
  )
}
