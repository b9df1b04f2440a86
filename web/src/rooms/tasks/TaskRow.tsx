import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconCheck, IconClockPause } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import { useFormat, useSession } from '../../app/session'
import { Tag } from '../../kit/Change'
import { recordPath, titleOf } from '../records/names'
import { dueOf, laterDays } from './days'
import css from './tasks.module.css'
import type { TaskActions } from './useTaskActions'

interface Props {
  task: Rec
  object: ObjectInfo
  today: string
  writable: boolean
  actions: TaskActions
  /** a box to choose the task for bulk work */
  box?: ReactNode
  showOwner?: boolean
}

/** The record that a task is about: the closest one that it names. */
const about = ['deal', 'lead', 'contact', 'account']

/** TaskRow is one task with what is done about it: done, or later. */
export function TaskRow({ task, object, today, writable, actions, box, showOwner = false }: Props): ReactNode {
  const format = useFormat()
  const title = titleOf(object, task)
  const due = task.fields['due_on']
  const state = dueOf(task, today)
  const links = about.flatMap((name) => {
    const id = task.fields[name]
    const words = task.titles[name]
    return typeof id === 'string' && words !== undefined ? [{ name, id, words }] : []
  }).slice(0, 2)
  const rule = task.fields['made_by_rule']
  return (
    <li className={css['row']}>
      {box}
      <div className={css['words']}>
        <Link to={recordPath('task', task.id)} className={css['name']}><bdi>{title}</bdi></Link>
        <span className={css['facts']}>
          {typeof due === 'string' && <span className={state === 'overdue' ? 'bad' : undefined}>{state === 'overdue' ? `overdue since ${format.dayMonth(due)}` : state === 'today' ? 'today' : format.date(due)}</span>}
          {links.map((link) => <Link key={link.name} to={recordPath(link.name, link.id)} className={css['link']}><bdi>{link.words}</bdi></Link>)}
          {showOwner && <span><bdi>{task.titles['owner'] ?? 'Nobody'}</bdi></span>}
          {typeof rule === 'string' && <Tag title="No person made this task">made by {rule.replaceAll('_', ' ')}</Tag>}
        </span>
      </div>
      {writable && (
        <div className={css['actions']}>
          <Snooze label={`Put off ${title}`} today={today} onDay={(day) => actions.snooze([task], day)} />
          <Button size="compact-sm" variant="default" leftSection={<IconCheck size={15} />} aria-label={`Done: ${title}`} onClick={() => actions.done(task)}>Done</Button>
        </div>
      )}
    </li>
  )
}

/** Snooze chooses a later day. */
export function Snooze({ label, words, today, onDay }: { label: string; words?: string; today: string; onDay: (day: string) => void }): ReactNode {
  const { me, format } = useSession()
  return (
    <Menu position="bottom-end" shadow="md" width={230}>
      <Menu.Target>
        {words === undefined
          ? <ActionIcon variant="default" size={26} aria-label={label}><IconClockPause size={15} /></ActionIcon>
          : <Button size="compact-sm" variant="default" leftSection={<IconClockPause size={15} />}>{words}</Button>}
      </Menu.Target>
      <Menu.Dropdown>
        {laterDays(today, me.workspace.weekStart).map((each) => <Menu.Item key={each.day} rightSection={<span className="dim num">{format.dayMonth(each.day)}</span>} onClick={() => onDay(each.day)}>{each.label}</Menu.Item>)}
      </Menu.Dropdown>
    </Menu>
  )
}
