import { Button, Menu } from '@mantine/core'
import { IconCheck, IconChevronDown } from '@tabler/icons-react'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { Json } from '../../api/decode'
import { type FieldInfo, fieldOf, type ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { tell, tellFailure } from '../../kit/tell'
import { titleOf } from '../records/names'
import { byRank, useSmallList } from '../records/queries'
import css from './StageBar.module.css'
import type { Writing } from './writing'

const AskFields = lazy(async () => ({ default: (await import('./AskFields')).AskFields }))

interface Props {
  record: Rec
  object: ObjectInfo
  stageObject: ObjectInfo
  writable: boolean
  happenedAt: string | null
  writing: Writing
}

/** StageBar shows where a deal stands and moves it. A stage that asks for fields, as lost asks for its reason, asks first. */
export function StageBar({ record, object, stageObject, writable, happenedAt, writing }: Props): ReactNode {
  const pipeline = record.fields['pipeline']
  const { items, error } = useSmallList('stage', typeof pipeline === 'string' ? { field: 'pipeline', op: 'eq', value: pipeline } : null, typeof pipeline === 'string')
  const [asking, setAsking] = useState<Rec>()
  const stages = byRank(items)
  const current = stages.find((stage) => stage.id === record.fields['stage'])
  const at = current === undefined ? -1 : stages.indexOf(current)

  const move = async (to: Rec, more: Record<string, Json> = {}): Promise<void> => {
    const saved = await writing.save(record, { stage: to.id, ...more }, happenedAt)
    const name = titleOf(stageObject, to)
    if (saved.kind === 'conflict') {
      return tell(`Somebody moved this deal to ${saved.theirs.titles['stage'] ?? 'another stage'} meanwhile. It was not moved again.`)
    }
    const from = record.fields['stage']
    tell(`Moved to ${name}`, from === undefined || from === null ? undefined : {
      label: 'Undo',
      run: async () => {
        await writing.save(saved.record, { stage: from, ...Object.fromEntries(Object.keys(more).map((key) => [key, record.fields[key] ?? null])) }, happenedAt)
      },
    })
  }
  const choose = (stage: Rec): void => {
    if (missing(object, record, stage).length > 0) setAsking(stage)
    else move(stage).catch((problem: unknown) => tellFailure('The deal was not moved', problem))
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
              <Menu.Item key={stage.id} disabled={stage === current} rightSection={stage === current ? <IconCheck size={15} /> : null} onClick={() => choose(stage)}>
                {titleOf(stageObject, stage)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {asking !== undefined && (
        <Suspense>
          <AskFields title={`Move to ${titleOf(stageObject, asking)}`} fields={missing(object, record, asking)} onClose={() => setAsking(undefined)}
            onSave={async (values) => {
              await move(asking, values)
              setAsking(undefined)
            }} />
        </Suspense>
      )}
    </div>
  )
}

/** missing lists the fields that a stage's status asks for and the record does not have. */
export function missing(object: ObjectInfo, record: Rec, stage: Rec): FieldInfo[] {
  const status = stage.fields['status']
  return object.fields.filter((field) => field.requiredFrom !== '' && field.requiredFrom === status && fieldOf(object, field.name) !== undefined && (record.fields[field.name] ?? null) === null)
}
