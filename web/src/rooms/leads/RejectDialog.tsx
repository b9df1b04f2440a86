import { Button, NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { explain } from '../../api/problem'
import { Dialog } from '../../kit/Dialog'
import shared from '../imports/Page.module.css'

interface Props {
  title: string
  reasons: { value: string; label: string }[]
  /** a place for words beside the reason */
  withComment?: boolean
  onReject: (reason: string, comment: string) => Promise<unknown>
  onClose: () => void
}

/** RejectDialog asks for the one reason of a rejection. Nothing is rejected without one. */
export function RejectDialog({ title, reasons, withComment = false, onReject, onClose }: Props): ReactNode {
  const [reason, setReason] = useState('')
  const [comment, setComment] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (reason === '') {
      setError('Choose a reason: the campaign learns from it.')
      return
    }
    setBusy(true)
    try {
      await onReject(reason, comment.trim())
      onClose()
    } catch (problem) {
      const { message, remedy } = explain(problem)
      setError([message, remedy].filter((each) => each !== null).join(' '))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form className={shared['form']} onSubmit={(event) => void submit(event)} noValidate>
        <NativeSelect label="Reason" required withAsterisk={false} autoFocus value={reason} error={error} data={[{ value: '', label: 'Please choose' }, ...reasons]} onChange={(event) => {
          setReason(event.currentTarget.value)
          setError(undefined)
        }} />
        {withComment && <TextInput label="In words (optional)" maxLength={900} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />}
        <div className={shared['buttons']}>
          <Button type="submit" loading={busy}>Reject</Button>
          <Button variant="default" onClick={onClose}>Keep it</Button>
        </div>
      </form>
    </Dialog>
  )
}
