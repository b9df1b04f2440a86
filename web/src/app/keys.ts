import { useEffect, useRef } from 'react'

const storageKey = 'canopy-single-keys'

/** singleKeysOn tells whether single letters act as shortcuts; they can be turned off (WCAG 2.1.4). */
export function singleKeysOn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off'
  } catch {
    return true
  }
}

export function setSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off')
  } catch {
    // A closed storage only means that the choice lasts until the page goes.
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/**
 * useKeys runs what belongs to a pressed key: 'ctrl+k', 'j', '?'; 'g r' is G and then R within a second.
 * Plain keys rest in inputs, behind open dialogs, and where the reader turned them off.
 */
export function useKeys(keys: Record<string, () => void>): void {
  const current = useRef(keys)
  useEffect(() => {
    current.current = keys
  })
  useEffect(() => {
    let pending = ''
    let until = 0
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey) return
      const key = event.key.toLowerCase()
      if (event.ctrlKey || event.metaKey) {
        const action = current.current[`ctrl+${key}`]
        if (action !== undefined) {
          event.preventDefault()
          action()
        }
        return
      }
      if (!singleKeysOn() || typing(event.target) || document.querySelector('dialog[open], [role=dialog]') !== null) return
      const chord = event.timeStamp < until ? `${pending} ${key}` : key
      const action = current.current[chord] ?? current.current[key]
      pending = key
      until = key === 'g' && chord === 'g' ? event.timeStamp + 1000 : 0
      if (action !== undefined) {
        event.preventDefault()
        action()
      }
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
}
