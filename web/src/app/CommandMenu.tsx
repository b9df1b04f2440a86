import { Kbd } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconClock, IconCornerDownLeft, IconFileText, IconList, IconLogout, IconMoon, IconPhone, IconPlus, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react'
import { mayWrite } from '../api/me'
import { search, searchKey } from '../api/search'
import { Dialog } from '../kit/Dialog'
import { listPath, newPath, recordPath } from '../rooms/records/names'
import css from './CommandMenu.module.css'
import { groups } from './pages'
import { useObjects } from './queries'
import { recentOf } from './recent'
import { useSession } from './session'

interface Command {
  id: string
  group: string
  label: string
  hint: string
  icon: ReactNode
  run: () => void
}

/** What people make most, offered before anything is typed. */
const usuallyMade = ['deal', 'account', 'contact', 'lead', 'task']

interface Props {
  onClose: () => void
  onTheme: () => void
  onSignOut: () => void
}

/** CommandMenu (Ctrl+K or /) jumps to pages, lists and records, the latest ones before anything is typed, and does what needs no page of its own. */
export function CommandMenu({ onClose, onTheme, onSignOut }: Props): ReactNode {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const fixed = useFixed({ onTheme, onSignOut })
  const found = useFound(text.trim())
  const wanted = text.trim().toLowerCase()
  const recent = useRecent()
  const matching = (list: Command[]): Command[] => list.filter((each) => `${each.group} ${each.label}`.toLowerCase().includes(wanted))
  // Nothing typed: where one was, and the usual ways. Else what is called so, pages first; records that are shown once are not shown again.
  const hits = found.commands
  const shown = wanted === '' ? [...recent, ...fixed.usual] : [...matching([...fixed.usual, ...fixed.rest]).slice(0, 8), ...hits]
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
          <li key={each.id} id={`${listId}-${each.id}`} role="option" aria-selected={each === active} className={css['item']} ref={each === active ? intoView : undefined}
            onMouseMove={() => setAt(shown.indexOf(each))}
            onClick={() => {
              onClose()
              each.run()
            }}>
            {each.icon}<span className={css['label']}><bdi>{each.label}</bdi></span><span className={css['hint']}>{each.hint}</span>
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

/** intoView keeps the option that the keyboard is at in sight. */
function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' })
}

function useFixed({ onTheme, onSignOut }: Pick<Props, 'onTheme' | 'onSignOut'>): { usual: Command[]; rest: Command[] } {
  const navigate = useNavigate()
  const { me } = useSession()
  const objects = useObjects().data ?? []
  const go = (href: string) => () => void navigate({ to: href })
  const pages = groups.flatMap((group) => group.pages.map(({ label, href, icon: Icon, keys }): Command => ({
    id: `page${href.replaceAll('/', '-')}`, group: 'Go to', label, hint: keys ?? group.label, icon: <Icon size={17} stroke={1.7} />, run: go(href),
  })))
  const log = document.querySelector<HTMLElement>('[data-log]')
  const actions: Command[] = log === null ? [] : [{ id: 'log', group: 'Do', label: 'Log a call, mail, meeting or note here', hint: 'L', icon: <IconPhone size={17} stroke={1.7} />, run: () => window.setTimeout(() => log.focus()) }]
  const made = (usual: boolean): Command[] => objects.filter((object) => usuallyMade.includes(object.name) === usual && mayWrite(me, object.writeBy)).map((object) => ({
    id: `new-${object.name}`, group: 'New', label: `New ${object.label.toLowerCase()}`, hint: 'Create', icon: <IconPlus size={17} />, run: go(newPath(object.name)),
  }))
  const others: Command[] = [
    { id: 'theme', group: 'Do', label: 'Switch between light and dark', hint: 'Theme', icon: <IconMoon size={17} />, run: onTheme },
    { id: 'sign-out', group: 'Do', label: 'Sign out', hint: me.user.email, icon: <IconLogout size={17} />, run: onSignOut },
  ]
  const known = new Set(groups.flatMap((group) => group.pages.map((page) => page.href)))
  const lists = objects.filter((object) => !known.has(listPath(object.name))).map((object): Command => ({
    id: `list-${object.name}`, group: 'List', label: object.plural, hint: 'All records', icon: <IconList size={17} stroke={1.7} />, run: go(listPath(object.name)),
  }))
  return { usual: [...actions, ...pages, ...made(true)], rest: [...others, ...lists, ...made(false)] }
}

/** useRecent gives the records that were opened last. */
function useRecent(): Command[] {
  const navigate = useNavigate()
  const { me } = useSession()
  const objects = useObjects().data ?? []
  const [list] = useState(() => recentOf(me.user.id))
  return list.slice(0, 5).map((each): Command => ({
    id: `recent-${each.id}`, group: 'Lately', label: each.title, hint: objects.find((object) => object.name === each.object)?.label ?? '', icon: <IconClock size={17} stroke={1.7} />,
    run: () => void navigate({ to: recordPath(each.object, each.id) }),
  }))
}

/** useFound asks the server once the typing rests; what is no longer wanted is cancelled. */
function useFound(text: string): { commands: Command[]; waiting: boolean; failed: boolean } {
  const navigate = useNavigate()
  const [settled] = useDebouncedValue(text, 120)
  const enabled = settled.length >= 2
  const found = useQuery({ queryKey: searchKey(settled), queryFn: ({ signal }) => search(settled, signal), enabled, placeholderData: keepPreviousData })
  if (!enabled) return { commands: [], waiting: false, failed: false }
  return {
    waiting: found.isFetching, failed: found.isError,
    commands: (found.data ?? []).flatMap((group) => group.items.map((hit): Command => ({
      id: hit.id, group: group.label, label: hit.title, hint: [hit.subtitle, group.label].filter((each) => each !== '').join(' · '), icon: <IconFileText size={17} stroke={1.7} />,
      run: () => void navigate({ to: recordPath(group.object, hit.id) }),
    }))),
  }
}
