import { Menu, UnstyledButton } from '@mantine/core'
import { IconKeyboard, IconLogout } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Me } from '../api/me'

interface Props {
  me: Me
  face: string
  buttonClass: string
  onSignOut: () => void
  onShortcuts: () => void
}

/** MeMenu says who is signed in, and lets them out. It is open when it comes. */
export function MeMenu({ me, face, buttonClass, onSignOut, onShortcuts }: Props): ReactNode {
  return (
    <Menu position="bottom-end" width={240} shadow="md" defaultOpened>
      <Menu.Target>
        <UnstyledButton className={buttonClass} aria-label={`${me.user.name}: account menu`}>{face}</UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <strong style={{ color: 'var(--ink)' }}>{me.user.name}</strong><br />
          {me.user.email}<br />
          {me.role} · {me.workspace.name}
        </Menu.Label>
        <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={onShortcuts}>Keyboard shortcuts</Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={onSignOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
