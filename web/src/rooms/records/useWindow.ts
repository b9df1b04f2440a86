import { type RefObject, useLayoutEffect, useState } from 'react'

export interface Window {
  /** first row that is drawn */
  from: number
  /** the row after the last that is drawn */
  to: number
}

/** Rows drawn beyond the edges, so that quick scrolling and the keyboard find them there. */
const beyond = 12

/**
 * useWindow tells which of `count` rows of `height` px are in sight in a scrolling element, whose head takes `head` px. Lists of up to 80 rows
 * are drawn whole.
 */
export function useWindow(scroller: RefObject<HTMLElement | null>, count: number, height: number, head: number): Window {
  const [shown, setShown] = useState<Window>({ from: 0, to: 60 })
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    let asked = 0
    const look = (): void => {
      asked = 0
      const from = Math.max(0, Math.floor((element.scrollTop - head) / height) - beyond)
      const to = Math.ceil((element.scrollTop + element.clientHeight) / height) + beyond
      setShown((old) => (old.from === from && old.to === to ? old : { from, to }))
    }
    const later = (): void => {
      if (asked === 0) asked = requestAnimationFrame(look)
    }
    look()
    element.addEventListener('scroll', later, { passive: true })
    const observer = new ResizeObserver(later)
    observer.observe(element)
    return () => {
      cancelAnimationFrame(asked)
      element.removeEventListener('scroll', later)
      observer.disconnect()
    }
  }, [scroller, height, head])
  if (count <= 80) return { from: 0, to: count }
  return { from: Math.min(shown.from, Math.max(0, count - 1)), to: Math.min(count, shown.to) }
}
