import { Button, Menu } from '@mantine/core'
import { IconBookmark, IconChevronDown, IconDeviceFloppy, IconPencil, IconPin, IconPinnedOff, IconTrash, IconUsers } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { mayWrite } from '../../api/me'
import type { ObjectInfo } from '../../api/objects'
import { restoreRecord } from '../../api/records'
import { choiceKey, choose, createView, deleteView, fetchChoice, type SavedView, updateView, viewsKey } from '../../api/views'
import { useSession } from '../../app/session'
import { tell, tellFailure } from '../../kit/tell'
import type { ListState } from './useListState'
import css from './ViewPicker.module.css'

const NameView = lazy(async () => ({ default: (await import('./NameView')).NameView }))

/** ViewPicker names the saved view that is open, switches to others, and saves what the list shows now. */
export function ViewPicker({ object, list }: { object: ObjectInfo; list: ListState }): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const [naming, setNaming] = useState<'new' | 'rename' | null>(null)
  const { view, views, changed, startsWith } = list
  const mine = view !== undefined && (view.owner === me.user.id || (view.shared && me.role === 'administrator'))
  const mayShare = mayWrite(me, 'editor')
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: viewsKey(object.name) })

  const attempt = (what: string, run: () => Promise<void>): void => void run().catch((problem: unknown) => tellFailure(what, problem))
  const save = (): void => attempt('The view was not saved', async () => {
    if (view === undefined) return
    const saved = await updateView(view, { state: list.state })
    await refresh()
    list.open(saved)
    tell(`${saved.name} saved`)
  })
  const share = (): void => attempt('The view was not changed', async () => {
    if (view === undefined) return
    const saved = await updateView(view, { shared: !view.shared })
    await refresh()
    tell(saved.shared ? `Everybody may use ${saved.name}` : `${saved.name} is yours alone`)
  })
  const remove = (): void => attempt('The view was not deleted', async () => {
    if (view === undefined) return
    await deleteView(view)
    list.open(null)
    await refresh()
    tell(`${view.name} deleted`, {
      label: 'Undo',
      run: async () => {
        await restoreRecord('view', view.id)
        await refresh()
        list.open(view)
      },
    })
  })
  const start = (id: string | null): void => attempt('The choice was not kept', async () => {
    await choose(object.name, id, await fetchChoice(object.name))
    await client.invalidateQueries({ queryKey: choiceKey(object.name) })
    tell(id === null ? `${object.plural} open as usual` : `${object.plural} open with this view, for you`)
  })

  const own = views.filter((each) => each.owner === me.user.id)
  const others = views.filter((each) => each.owner !== me.user.id)
  const all = `All ${object.plural.toLowerCase()}`
  const item = (each: SavedView): ReactNode => (
    <Menu.Item key={each.id} onClick={() => list.open(each)} leftSection={each.shared ? <IconUsers size={15} aria-hidden="true" /> : <IconBookmark size={15} aria-hidden="true" />} aria-current={each.id === view?.id ? 'true' : undefined}>
      <span className={css['name']}>{each.name}</span>{startsWith === each.id && <span className="dim"> · opens first</span>}
    </Menu.Item>
  )
  return (
    <div className={css['picker']}>
      <Menu position="bottom-start" shadow="md" width={280} withinPortal={false}>
        <Menu.Target>
          <Button size="compact-sm" variant="default" rightSection={<IconChevronDown size={14} />} aria-label={`View: ${view?.name ?? all}`}><span className={css['current']}>{view?.name ?? all}</span></Button>
        </Menu.Target>
        <Menu.Dropdown className={css['menu']}>
          <Menu.Item onClick={() => list.open(null)} aria-current={view === undefined ? 'true' : undefined}>{all}</Menu.Item>
          {own.length > 0 && <Menu.Label>Yours</Menu.Label>}
          {own.map(item)}
          {others.length > 0 && <Menu.Label>Shared by others</Menu.Label>}
          {others.map(item)}
          <Menu.Divider />
          <Menu.Item leftSection={<IconDeviceFloppy size={15} />} onClick={() => setNaming('new')}>Save as a new view…</Menu.Item>
          {mine && <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => setNaming('rename')}>Rename…</Menu.Item>}
          {mine && (mayShare || view.shared) && <Menu.Item leftSection={<IconUsers size={15} />} onClick={share}>{view.shared ? 'Stop sharing' : 'Share with everybody'}</Menu.Item>}
          {view !== undefined && startsWith !== view.id && <Menu.Item leftSection={<IconPin size={15} />} onClick={() => start(view.id)}>Open with this view</Menu.Item>}
          {startsWith !== null && <Menu.Item leftSection={<IconPinnedOff size={15} />} onClick={() => start(null)}>Open without a view</Menu.Item>}
          {mine && <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={remove}>Delete view</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {changed && (
        <>
          <span className={css['changed']} role="status">changed</span>
          {mine && <Button size="compact-xs" variant="light" onClick={save}>Save view</Button>}
          {!mine && <Button size="compact-xs" variant="light" onClick={() => setNaming('new')}>Save as…</Button>}
          <Button size="compact-xs" variant="subtle" onClick={() => list.open(view ?? null)}>Reset</Button>
        </>
      )}
      {naming !== null && (
        <Suspense><NameView rename={naming === 'rename' ? view : undefined} mayShare={mayShare} onClose={() => setNaming(null)} onSave={async (name, shared, key) => {
          const saved = naming === 'rename' && view !== undefined ? await updateView(view, { name }) : await createView(object.name, name, shared, list.state, key)
          await refresh()
          setNaming(null)
          if (naming === 'new') list.open(saved)
          tell(`${saved.name} saved`)
        }} /></Suspense>
      )}
    </div>
  )
}
