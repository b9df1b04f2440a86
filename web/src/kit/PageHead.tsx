import { type ReactNode, useEffect, useRef } from 'react'
import css from './PageHead.module.css'

interface Props {
  title: string
  /** one line: period, comparison, completeness, zone, currency */
  scope?: ReactNode
  children?: ReactNode
}

let opened = false

/** PageHead is the top of every page. After a move inside the program its heading takes the focus, so that a screen reader says where it is. */
export function PageHead({ title, scope, children }: Props): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (opened) heading.current?.focus({ preventScroll: true })
    opened = true
  }, [])
  useEffect(() => {
    document.title = `${title} · Canopy`
  }, [title])
  return (
    <header className={css['head']}>
      <div className={css['words']}>
        <h1 ref={heading} tabIndex={-1} className={css['title']}>{title}</h1>
        {scope !== undefined && <p className={css['scope']}>{scope}</p>}
      </div>
      {children !== undefined && <div className={css['controls']}>{children}</div>}
    </header>
  )
}
