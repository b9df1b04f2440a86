import { Kbd } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCornerDownLeft, IconFileText, IconList, IconLogout, IconMoon, IconPlus, IconSearch } from '@tabler/icons-react'
import { useQueries } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react'
import { mayWrite } from '../api/me'
import { fetchRecords, recordsKey } from '../api/records'
import { Dialog } from '../kit/Dialog'
import { recordPath, titleOf } from '../rooms/records/names'
import css from './CommandMenu.module.css'
import { groups } from './pages'
import { useObjects } from './queries'
import { useSession } from './session'

interface Command {
  id: string
  group: string
  label: string
  hint: string
  icon: ReactNode
  run: () => void
}

/** The objects whose records are looked through by name. */
const searched = ['deal', 'account', 'contact']

interface Props {
  onClose: () => void
  onTheme: () => void
  onSignOut: () => void
}

/** CommandMenu (Ctrl+K) jumps to pages, lists and records, and runs the few commands that need no page. */
export function CommandMenu({ onClose, onTheme, onSignOut }: Props): ReactNode {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const fixed = useFixed({ onTheme, onSignOut })
  const found = useFound(text.trim())
  const wanted = text.trim().toLowerCase()
  const shown = [...fixed.filter((each) => `${each.group} ${each.label}`.toLowerCase().includes(wanted)).slice(0, wanted === '' ? 12 : 8), ...found.commands]
  const active = shown[Math.min(at, shown.length - 1)]

  const press = (event: KeyboardEvent): void => {
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }
    const next = moves[event.key]
    if (next !== undefined && shown.length > 0) {
      event.preventDefault()
      setAt((next + shown.length) % shown.length)
    } else if (event.key === 'Enter' && active !== undefined) {
      event.preventDefault()
      onClose()
      active.run()
    }
  }

  return (
    <Dialog title="Search or jump to" onClose={onClose} bare width={600}>
      <div className={css['field']}>
        <IconSearch size={17} />
        <input autoFocus value={text} placeholder="Page, list, deal, account, person…" role="combobox" aria-expanded="true" aria-controls={listId}
          aria-activedescendant={active === undefined ? undefined : `${listId}-${active.id}`} aria-label="Search or jump to"
          onChange={(event) => {
            setText(event.target.value)
            setAt(0)
          }} onKeyDown={press} />
        <Kbd size="xs">Esc</Kbd>
      </div>
      <ul id={listId} role="listbox" aria-label="Results" className={css['list']}>
        {shown.map((each) => (
          <li key={each.id} id={`${listId}-${each.id}`} role="option" aria-selected={each === active} className={css['item']}
            onMouseMove={() => setAt(shown.indexOf(each))}
            onClick={() => {
              onClose()
              each.run()
            }}>
            {each.icon}<span className={css['label']}>{each.label}</span><span className={css['hint']}>{each.hint}</span>
            {each === active && <IconCornerDownLeft size={14} />}
          </li>
        ))}
      </ul>
      <div className={css['foot']} role="status">
        {found.waiting ? 'Searching…' : found.failed ? 'Records could not be searched.' : shown.length === 0 ? `Nothing is called “${text.trim()}”.` : ''}
      </div>
    </Dialog>
  )
}

function useFixed({ onTheme, onSignOut }: Pick<Props, 'onTheme' | 'onSignOut'>): Command[] {
  const navigate = useNavigate()
  const { me } = useSession()
  const objects = useObjects().data ?? []
  const go = (href: string) => () => void navigate({ to: href })
  const pages = groups.flatMap((group) => group.pages.map(({ label, href, icon: Icon, keys }): Command => ({
    id: `page${href.replaceAll('/', '-')}`, group: 'Go to', label, hint: keys ?? group.label, icon: <Icon size={17} stroke={1.7} />, run: go(href),
  })))
  const actions: Command[] = [
    ...objects.filter((object) => ['deal', 'account', 'contact', 'lead', 'task'].includes(object.name) && mayWrite(me, object.writeBy)).map((object): Command => ({
      id: `new-${object.name}`, group: 'New', label: `New ${object.label.toLowerCase()}`, hint: 'Create', icon: <IconPlus size={17} />,
      run: go(object.name === 'deal' ? '/deals/new' : `/records/${object.name}/new`),
    })),
    { id: 'theme', group: 'Do', label: 'Switch between light and dark', hint: 'Theme', icon: <IconMoon size={17} />, run: onTheme },
    { id: 'sign-out', group: 'Do', label: 'Sign out', hint: me.user.email, icon: <IconLogout size={17} />, run: onSignOut },
  ]
  const known = new Set(groups.flatMap((group) => group.pages.map((page) => page.object)))
  const lists = objects.filter((object) => !known.has(object.name)).map((object): Command => ({
    id: `list-${object.name}`, group: 'List', label: object.plural, hint: 'All records', icon: <IconList size={17} stroke={1.7} />, run: go(`/records/${object.name}`),
  }))
  return [...pages, ...actions, ...lists]
}

function useFound(text: string): { commands: Command[]; waiting: boolean; failed: boolean } {
  const navigate = useNavigate()
  const objects = useObjects().data ?? []
  const [settled] = useDebouncedValue(text, 150)
  const look = objects.filter((object) => searched.includes(object.name))
  const results = useQueries({
    queries: look.map((object) => {
      const query = { filter: { field: object.title, op: 'contains' as const, value: settled }, sort: object.title, limit: 5 }
      return { queryKey: recordsKey(object.name, query), queryFn: ({ signal }: { signal: AbortSignal }) => fetchRecords(object.name, query, signal), enabled: settled.length >= 2 }
    }),
  })
  if (settled.length < 2) return { commands: [], waiting: false, failed: false }
  return {
    waiting: results.some((result) => result.isFetching),
    failed: results.some((result) => result.isError),
    commands: look.flatMap((object, i) => (results[i]?.data?.items ?? []).map((record): Command => ({
      id: record.id, group: object.label, label: titleOf(object, record), hint: object.label, icon: <IconFileText size={17} stroke={1.7} />,
      run: () => void navigate({ to: recordPath(object.name, record.id) }),
    }))),
  }
}
