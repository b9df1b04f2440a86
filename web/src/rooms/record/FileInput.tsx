import { Button, Input, Progress } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { upload } from '../../api/client'
import type { FieldInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import { bytes, readFile } from '../records/value'
import css from './FileInput.module.css'

interface Props {
  field: FieldInfo
  /** the JSON of the uploaded file; '' for none */
  text: string
  onText: (text: string) => void
  label: ReactNode
  error?: string | undefined
  autoFocus?: boolean
  size?: 'xs' | 'sm'
  description?: string | undefined
  labelProps?: { className: string }
}

/** FileInput uploads a file as soon as it is chosen, so that saving the record waits for nothing. What is not saved is swept away by the server. */
export function FileInput({ field, text, onText, error, autoFocus = false, size = 'sm', ...shared }: Props): ReactNode {
  const input = useRef<HTMLInputElement>(null)
  const running = useRef<() => void>(undefined)
  const [sent, setSent] = useState<number>()
  const [failure, setFailure] = useState<string>()
  useEffect(() => () => running.current?.(), [])
  const file = text === '' ? null : readFile(text)
  const limit = field.maxBytes ?? 0

  const take = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return
    setFailure(undefined)
    if (limit > 0 && chosen.size > limit) return setFailure(`The file has ${bytes(chosen.size)}; ${field.label} takes at most ${bytes(limit)}.`)
    const form = new FormData()
    form.append('file', chosen)
    setSent(0)
    const { done, abort } = upload('/files', form, (now, total) => setSent(total === 0 ? 0 : now / total))
    running.current = abort
    try {
      onText(JSON.stringify((await done).body))
    } catch (problem) {
      const { message, remedy } = explain(problem)
      setFailure([message, remedy].filter((each) => each !== null).join(' '))
    } finally {
      running.current = undefined
      setSent(undefined)
    }
  }
  return (
    <Input.Wrapper {...shared} size={size} error={failure ?? error} labelElement="div">
      <div className={css['line']}>
        <Button size={`compact-${size}`} variant="default" autoFocus={autoFocus} loading={sent !== undefined} onClick={() => input.current?.click()} aria-label={`${file === null ? 'Choose a file for' : 'Replace the file of'} ${field.label}`}>{file === null ? 'Choose a file' : 'Replace'}</Button>
        {file !== null && <span className={css['name']}>{file.name} <span className="dim">{bytes(file.size)}</span></span>}
        {file !== null && <Button size={`compact-${size}`} variant="subtle" onClick={() => onText('')} aria-label={`Remove the file of ${field.label}`}>Remove</Button>}
      </div>
      {sent !== undefined && <Progress value={sent * 100} size="sm" aria-label="Uploaded" mt={6} />}
      <input ref={input} type="file" hidden aria-label={`File for ${field.label}`} accept={(field.accept ?? []).join(',')} onChange={(event) => {
        void take(event.currentTarget.files?.[0])
        event.currentTarget.value = '' // the same file may be chosen again
      }} />
    </Input.Wrapper>
  )
}
