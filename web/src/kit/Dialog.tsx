import { IconX } from '@tabler/icons-react'
import { ActionIcon } from '@mantine/core'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import css from './Dialog.module.css'

interface Props {
  title: string
  /** left out where the dialog cannot be passed over */
  onClose?: () => void
  children: ReactNode
  /** hide the heading from sight, keep it for those who hear the page */
  bare?: boolean
  width?: number
}

/** Dialog is the browser's own modal: it keeps the focus, closes on Escape, and gives the focus back. */
export function Dialog({ title, onClose, children, bare = false, width = 480 }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    // The element may be opened already when React runs effects twice in development.
    if (element !== null && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog ref={dialog} className={css['dialog']} style={{ width }} aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose?.()
      }}>
      <div className={bare ? undefined : css['inside']}>
        {bare
          ? <h2 id={id} className="sr">{title}</h2>
          : (
            <header className={css['head']}>
              <h2 id={id}>{title}</h2>
              {onClose !== undefined && <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}><IconX size={18} /></ActionIcon>}
            </header>
          )}
        {children}
      </div>
    </dialog>
  )
}
