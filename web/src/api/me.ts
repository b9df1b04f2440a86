import { Fields, type Json } from './decode'
import { get, send } from './client'
import type { Wire } from './wire'

export type Role = 'viewer' | 'editor' | 'administrator'

export interface Me {
  user: { id: string; name: string; email: string }
  role: Role
  scope: string
  workspace: { name: string; zone: string; weekStart: string; currency: string; locale: string }
}

export function decodeMe(body: Json): Me {
  const me = new Fields<Wire['Me']>(body, 'me')
  return {
    user: me.object('user', (user) => ({ id: user.textOr('id', ''), name: user.text('name'), email: user.textOr('email', '') })),
    role: me.oneOf('role', ['viewer', 'editor', 'administrator']),
    scope: me.objectOr('scope', (scope) => scope.textOr('kind', 'all'), 'all'),
    workspace: me.object('workspace', (workspace) => ({
      name: workspace.textOr('name', 'Canopy'),
      zone: workspace.textOr('zone', 'UTC'),
      weekStart: String(workspace.json('week_start') ?? 'monday'),
      currency: workspace.textOr('currency', 'USD'),
      locale: workspace.textOr('locale', 'en-US'),
    })),
  }
}

export const meKey = ['me'] as const

export async function fetchMe(signal?: AbortSignal): Promise<Me> {
  return decodeMe(await get('/me', undefined, signal))
}

export async function signIn(email: string, password: string): Promise<Me> {
  return decodeMe((await send('POST', '/session', { body: { email, password } })).body)
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/session')
}

/** mayWrite tells whether the role may write what asks for `least`; the server decides again. */
export function mayWrite(me: Me, least: Role = 'editor'): boolean {
  const rank: Record<Role, number> = { viewer: 1, editor: 2, administrator: 3 }
  return rank[me.role] >= rank[least]
}
