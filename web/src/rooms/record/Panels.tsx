import { type ReactNode, Suspense } from 'react'
import { type Panel, type PanelProps, panelsOf } from './panels'

/** Panels shows what a noun adds to its record page at a place; nothing for most. */
export function Panels({ place, ...props }: PanelProps & { place: Panel['place'] }): ReactNode {
  return panelsOf(props.record, place).map(({ key, component: Component }) => <Suspense key={key}><Component {...props} /></Suspense>)
}
