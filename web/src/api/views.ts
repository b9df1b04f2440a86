// Saved views: records of the object `view`. Their filter and columns are JSON in text fields, read here and nowhere else.
import type { Json } from './decode'
import { newKey } from './client'
import { type Predicate, readPredicate } from './predicate'
import { createRecord, deleteRecord, fetchRecords, patchRecord, type Rec } from './records'

/** What a view keeps of a list. */
export interface ViewState {
  layout: 'table' | 'board'
  filter: Predicate | null
  /** "-amount,name"; '' for the list's own order */
  sort: string
  /** null for the list's own columns */
  columns: string[] | null
  /** the field whose values are a board's columns; '' for none */
  group: string
}

export interface SavedView extends ViewState {
  id: string
  name: string
  object: string
  shared: boolean
  /** id and name of the person whose view it is */
  owner: string
  ownerName: string
  record: Rec
}

export const viewsKey = (object: string): readonly unknown[] => ['views', object]

/** fetchViews gives the views of an object that the reader may use, by name. */
export async function fetchViews(object: string, signal?: AbortSignal): Promise<SavedView[]> {
  const page = await fetchRecords('view', { filter: { field: 'object', op: 'eq', value: object }, sort: 'name', limit: 200 }, signal)
  return page.items.map(viewOf)
}

export function viewOf(record: Rec): SavedView {
  const text = (name: string): string => {
    const value = record.fields[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    id: record.id, name: text('name'), object: text('object'), shared: record.fields['shared'] === true, owner: text('owner'), ownerName: record.titles['owner'] ?? '',
    layout: text('layout') === 'board' ? 'board' : 'table', filter: readPredicate(text('filter')), sort: text('sort'), columns: readColumns(text('columns')), group: text('group_by'), record,
  }
}

function readColumns(text: string): string[] | null {
  if (text === '') return null
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : null
  } catch {
    return null
  }
}

function fieldsOf(state: ViewState): Record<string, Json> {
  return {
    layout: state.layout, filter: state.filter === null ? null : JSON.stringify(state.filter), sort: state.sort === '' ? null : state.sort,
    columns: state.columns === null ? null : JSON.stringify(state.columns), group_by: state.group === '' ? null : state.group,
  }
}

export async function createView(object: string, name: string, shared: boolean, state: ViewState, key: string = newKey()): Promise<SavedView> {
  return viewOf(await createRecord('view', { object, name, shared, ...fieldsOf(state) }, { happenedAt: null }, key))
}

/** updateView writes a list's state into a view, or renames and shares it. */
export async function updateView(view: SavedView, change: { state?: ViewState; name?: string; shared?: boolean }): Promise<SavedView> {
  return viewOf(await patchRecord(view.record, {
    ...(change.state === undefined ? {} : fieldsOf(change.state)), ...(change.name === undefined ? {} : { name: change.name }), ...(change.shared === undefined ? {} : { shared: change.shared }),
  }, { happenedAt: null }))
}

export async function deleteView(view: SavedView): Promise<void> {
  await deleteRecord(view.record)
}

/** sameState tells whether a list shows just what a view keeps. */
export function sameState(a: ViewState, b: ViewState): boolean {
  const plain = (state: ViewState): string => JSON.stringify([state.layout, state.filter, state.sort, state.columns, state.layout === 'board' ? state.group : ''])
  return plain(a) === plain(b)
}

export const choiceKey = (object: string): readonly unknown[] => ['view-choice', object]

/** fetchChoice gives the reader's own choice of the view that an object's list opens with; null for none. */
export async function fetchChoice(object: string, signal?: AbortSignal): Promise<Rec | null> {
  const page = await fetchRecords('view_choice', { filter: { field: 'object', op: 'eq', value: object }, sort: '-updated_at', limit: 1 }, signal)
  return page.items[0] ?? null
}

/** choose sets the view to start with; null takes the choice away. */
export async function choose(object: string, view: string | null, old: Rec | null): Promise<void> {
  if (view === null) {
    if (old !== null) await deleteRecord(old)
  } else if (old === null) await createRecord('view_choice', { object, view }, { happenedAt: null })
  else await patchRecord(old, { view }, { happenedAt: null })
}
