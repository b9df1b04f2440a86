import { ActionIcon, Kbd, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconMenu2, IconMoon, IconSearch, IconSun } from '@tabler/icons-react'
import { Outlet, useNavigate } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useCallback, useRef, useState } from 'react'
import { signOut } from '../api/me'
import { initials } from '../format/format'
import { useKeys } from './keys'
import { Logo } from './Logo'
import { Nav } from './Nav'
import { Offline } from './Offline'
import { queryClient } from './queries'
import { forgetRecent } from './recent'
import { useSession } from './session'
import css from './Shell.module.css'

// Menus and lists that nobody sees before asking for them stay out of the first load.
const MeMenu = lazy(async () => ({ default: (await import('./MeMenu')).MeMenu }))
const CommandMenu = lazy(async () => ({ default: (await import('./CommandMenu')).CommandMenu }))
const ShortcutList = lazy(async () => ({ default: (await import('./ShortcutList')).ShortcutList }))

/** Shell is the frame of every page: top bar, navigation (a drawer on narrow screens), command menu. */
export function Shell(): ReactNode {
  const [commands, setCommands] = useState(false)
  const [shortcuts, setShortcuts] = useState(false)
  const drawer = useRef<HTMLDialogElement>(null)
  const navigate = useNavigate()
  const toggleTheme = useToggleTheme()
  const user = useSession().me.user.id
  const leave = useCallback(async () => {
    await signOut()
    forgetRecent(user)
    queryClient.clear()
    await navigate({ to: '/login' })
  }, [navigate, user])

  useKeys({
    'ctrl+k': () => setCommands(true),
    '/': () => setCommands(true),
    '?': () => setShortcuts(true),
    'g t': () => void navigate({ to: '/today' }),
    'g k': () => void navigate({ to: '/tasks' }),
    'g r': () => void navigate({ to: '/review' }),
    'g d': () => void navigate({ to: '/deals' }),
    'g p': () => void navigate({ to: '/pipeline' }),
    'g a': () => void navigate({ to: '/records/$object', params: { object: 'account' } }),
    'g i': () => void navigate({ to: '/imports' }),
    'g f': () => void navigate({ to: '/admin/fields' }),
    'g j': () => void navigate({ to: '/admin/jobs' }),
    'g s': () => void navigate({ to: '/admin/system' }),
  })

  return (
    <>
      <a className={css['skip']} href="#main">Skip to content</a>
      <header className={css['bar']}>
        <ActionIcon className={css['burger']} variant="subtle" color="gray" size={32} aria-label="Open navigation" onClick={() => drawer.current?.showModal()}>
          <IconMenu2 size={20} />
        </ActionIcon>
        <Logo />
        <UnstyledButton className={css['search']} onClick={() => setCommands(true)} aria-label="Search or jump to (Ctrl+K)">
          <IconSearch size={15} />
          <span className={css['searchWords']}>Search or jump to…</span>
          <span className={css['searchKeys']}><Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">K</Kbd></span>
        </UnstyledButton>
        <div className={css['right']}>
          <ThemeButton toggle={toggleTheme} />
          <Me onSignOut={() => void leave()} onShortcuts={() => setShortcuts(true)} />
        </div>
      </header>
      <aside className={css['side']}><Nav /></aside>
      <dialog ref={drawer} className={css['drawer']} aria-label="Navigation" onClick={(event) => {
        // A link has been followed, or the ground beside the drawer was pressed.
        if (event.target === event.currentTarget || (event.target instanceof Element && event.target.closest('a') !== null)) drawer.current?.close()
      }}>
        <div className={css['drawerInside']}><Logo /><Nav /></div>
      </dialog>
      <main id="main" className={css['main']} tabIndex={-1}><Offline /><Suspense><Outlet /></Suspense></main>
      <Suspense>
        {commands && <CommandMenu onClose={() => setCommands(false)} onTheme={toggleTheme} onSignOut={() => void leave()} />}
        {shortcuts && <ShortcutList onClose={() => setShortcuts(false)} />}
      </Suspense>
    </>
  )
}

function useToggleTheme(): () => void {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  return useCallback(() => setColorScheme(scheme === 'dark' ? 'light' : 'dark'), [scheme, setColorScheme])
}

function ThemeButton({ toggle }: { toggle: () => void }): ReactNode {
  const dark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark'
  return (
    <ActionIcon variant="subtle" color="gray" size={32} onClick={toggle} aria-label={dark ? 'Use the light theme' : 'Use the dark theme'}>
      {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  )
}

/** Me is the round button with the reader's initials; its menu comes with the first press. */
function Me({ onSignOut, onShortcuts }: { onSignOut: () => void; onShortcuts: () => void }): ReactNode {
  const { me } = useSession()
  const [asked, setAsked] = useState(false)
  const face = initials(me.user.name) || '?'
  const button = <UnstyledButton className={css['me']} aria-label={`${me.user.name}: account menu`} aria-haspopup="menu" onClick={() => setAsked(true)}>{face}</UnstyledButton>
  if (!asked) return button
  return <Suspense fallback={button}><MeMenu me={me} face={face} buttonClass={css['me'] ?? ''} onSignOut={onSignOut} onShortcuts={onShortcuts} /></Suspense>
}
