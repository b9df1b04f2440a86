// What a list shows: the URL says it, a saved view gives what the URL leaves out, and the object the rest.
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { ObjectInfo } from '../../api/objects'
import { parts, type Predicate, readPredicate } from '../../api/predicate'
import { choiceKey, fetchChoice, fetchViews, sameState, type SavedView, type ViewState, viewsKey } from '../../api/views'
import type { ListSearch } from '../../app/search'
import { boardFields, usualSortOf } from './columns'

export interface ListState {
  state: ViewState
  views: SavedView[]
  /** the saved view that is open; undefined for none, and for one that is not the reader's to see */
  view: SavedView | undefined
  /** the list differs from what the view keeps */
  changed: boolean
  /** the view is still coming: nothing is asked before */
  waiting: boolean
  /** the id of the view that the reader's list opens with; null for none */
  startsWith: string | null
  change: (next: Partial<ListSearch>) => void
  /** open shows a saved view, or with null the list as it is without one */
  open: (view: SavedView | null) => void
}

/** The search parameters that say what a list shows. Where none of them is given, a view's own hold. */
const own = ['filter', 'sort', 'cols', 'layout', 'group'] as const

export function useListState(object: ObjectInfo, search: ListSearch): ListState {
  const navigate = useNavigate()
  const views = useQuery({ queryKey: viewsKey(object.name), queryFn: ({ signal }) => fetchViews(object.name, signal), staleTime: 60_000 })
  const choice = useQuery({ queryKey: choiceKey(object.name), queryFn: ({ signal }) => fetchChoice(object.name, signal), staleTime: 300_000 })
  const startsWith = typeof choice.data?.fields['view'] === 'string' ? choice.data.fields['view'] : null

  const bare = Object.values(search).every((value) => value === undefined)
  const wanted = bare && startsWith !== null ? startsWith : search.view
  const view = views.data?.find((each) => each.id === wanted)
  const given = own.some((key) => search[key] !== undefined)
  const base = given ? undefined : view
  const state: ViewState = {
    layout: search.layout ?? base?.layout ?? 'table',
    filter: cleaned(readPredicate(search.filter) ?? base?.filter ?? null),
    sort: search.sort ?? base?.sort ?? '',
    columns: search.cols ?? base?.columns ?? null,
    group: search.group ?? (base === undefined || base.group === '' ? boardFields(object)[0]?.name ?? '' : base.group),
  }
  if (state.sort === '') state.sort = usualSortOf(object)

  // A list that starts with a view says so in its address, so that the link that is copied means the same to others.
  useEffect(() => {
    if (bare && view !== undefined) void navigate({ to: '.', search: { view: view.id }, replace: true, resetScroll: false })
  }, [bare, navigate, view])

  const change = (next: Partial<ListSearch>): void => {
    // The first change of a view takes all of its state into the address.
    const full: Partial<ListSearch> = base === undefined ? {} : searchOf(base)
    void navigate({ to: '.', search: (old: ListSearch) => withoutBlanks({ ...old, ...full, ...next }), resetScroll: false })
  }
  const open = (next: SavedView | null): void => {
    void navigate({ to: '.', search: next === null ? (startsWith === null ? {} : { view: 'all' }) : { view: next.id }, resetScroll: false })
  }
  return {
    state, views: views.data ?? [], view, startsWith, change, open,
    changed: view !== undefined && !sameState(state, { ...view, filter: cleaned(view.filter), sort: view.sort === '' ? usualSortOf(object) : view.sort, group: view.group === '' ? state.group : view.group }),
    waiting: (choice.isPending && bare) || (views.isPending && wanted !== undefined && wanted !== 'all'),
  }
}

/** cleaned: a filter that asks nothing is none. */
function cleaned(filter: Predicate | null): Predicate | null {
  return parts(filter).length === 0 ? null : filter
}

/** Asks nothing, and stands in the address where a view's filter was taken away. */
export const everything: Predicate = { and: [] }

function searchOf(view: SavedView): Partial<ListSearch> {
  return {
    filter: view.filter ?? everything, layout: view.layout,
    ...(view.sort === '' ? {} : { sort: view.sort }), ...(view.columns === null ? {} : { cols: view.columns }), ...(view.group === '' ? {} : { group: view.group }),
  }
}

function withoutBlanks(search: Partial<ListSearch>): ListSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined))
}
