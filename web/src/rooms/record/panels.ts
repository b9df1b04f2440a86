// Panels that belong to one noun: a deal's stages, a lead's clock, a handoff's checklist. The record page knows only this list, and
// fetches a panel's code with the first record that shows it. To add one: write the component in your room and add a line below.
import { type ComponentType, lazy, type LazyExoticComponent } from 'react'
import type { ObjectInfo } from '../../api/objects'
import type { Rec } from '../../api/records'
import type { Writing } from './writing'

/** What every panel is given. It reads and writes the record through `writing`, so that the rest of the page follows. */
export interface PanelProps {
  record: Rec
  object: ObjectInfo
  objects: ObjectInfo[]
  /** the reader may change the record; the server decides again */
  writable: boolean
  /** when what is written next has happened; null is now */
  happenedAt: string | null
  writing: Writing
}

export interface Panel {
  /** unique: it is the React key */
  key: string
  object: string
  /** top: across the page under its head. middle: over the timeline. side: over the related lists. */
  place: 'top' | 'middle' | 'side'
  component: LazyExoticComponent<ComponentType<PanelProps>>
  /** false hides the panel, and does not fetch it: a lead's clock where the lead is converted */
  applies?: (record: Rec) => boolean
}

export const panels: Panel[] = [
  { key: 'deal-stages', object: 'deal', place: 'top', component: lazy(async () => ({ default: (await import('./StagePanel')).StagePanel })) },
  { key: 'deal-checklist', object: 'deal', place: 'side', component: lazy(async () => ({ default: (await import('../pipeline/ChecklistPanel')).ChecklistPanel })), applies: (record) => record.fields['status'] === 'open' },
  { key: 'deal-contacts', object: 'deal', place: 'side', component: lazy(async () => ({ default: (await import('../pipeline/ContactsPanel')).ContactsPanel })) },
  { key: 'deal-stays', object: 'deal', place: 'side', component: lazy(async () => ({ default: (await import('../pipeline/StaysPanel')).StaysPanel })) },
]

/** panelsOf lists the panels of a record at a place, in the order of the list above. */
export function panelsOf(record: Rec, place: Panel['place']): Panel[] {
  return panels.filter((panel) => panel.object === record.object && panel.place === place && panel.applies?.(record) !== false)
}
