import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import css from './Logo.module.css'

export function Logo(): ReactNode {
  return <Link to="/review" className={css['logo']} aria-label="Canopy, weekly review"><Mark /> <span>Canopy</span></Link>
}

/** Mark is a tree in two strokes: a canopy on its trunk. */
export function Mark({ size = 18 }: { size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d="M12 21v-9" />
      <path d="M3.5 12.5a8.5 8.5 0 0 1 17 0z" fill="currentColor" />
    </svg>
  )
}
