import { type ReactNode, useId } from 'react'
import css from './Card.module.css'

interface Props {
  title: ReactNode
  aside?: ReactNode
  children: ReactNode
  className?: string | undefined
  /** no inner space: for tables that touch the edges */
  flush?: boolean
  /** old data while new data comes */
  stale?: boolean
}

/** Card is a titled part of a page, and a region for those who hear the page. */
export function Card({ title, aside, children, className, flush = false, stale = false }: Props): ReactNode {
  const id = useId()
  return (
    <section className={`${css['card']} ${className ?? ''}`} aria-labelledby={id} aria-busy={stale}>
      <header className={css['head']}>
        <h2 id={id} className={css['title']}>{title}</h2>
        {aside !== undefined && <div className={css['aside']}>{aside}</div>}
      </header>
      <div className={`${flush ? '' : css['body']} ${stale ? css['stale'] : ''}`}>{children}</div>
    </section>
  )
}
