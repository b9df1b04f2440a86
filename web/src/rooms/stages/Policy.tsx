import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { Json } from '../../api/decode'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { Card } from '../../kit/Card'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import { useWriting } from '../record/writing'
import css from './Page.module.css'

interface Read {
  nudge_after_days: number
  reengage_after_days: number
  close_after_days: number
  then: string
  reason: string
}

function readPolicy(text: Json | undefined): Read | null {
  if (typeof text !== 'string' || text === '') return null
  try {
    const raw = JSON.parse(text) as Partial<Read> // the server has checked it
    return {
      nudge_after_days: Number(raw.nudge_after_days), reengage_after_days: Number(raw.reengage_after_days), close_after_days: Number(raw.close_after_days), then: raw.then ?? 'lost', reason: raw.reason ?? 'no_decision',
    }
  } catch {
    return null
  }
}

/** Policy says what a pipeline does about deals in which nothing happens, and lets an administrator change it. */
export function Policy({ pipeline, deal, admin }: { pipeline: Rec; deal: ObjectInfo; admin: boolean }): ReactNode {
  const [editing, setEditing] = useState(false)
  const policy = readPolicy(pipeline.fields['stagnation_policy'])
  const reasons = fieldOf(deal, 'lost_reason')?.options.filter((option) => !option.retired) ?? []
  return (
    <Card title="Deals in which nothing happens" aside={<><Link to="/pipeline/stale">What is due today</Link>{admin && <Button size="compact-sm" variant="default" onClick={() => setEditing(true)}>{policy === null ? 'Set a policy' : 'Change the policy'}</Button>}</>}>
      <p className={css['words']}>
        {policy === null
          ? 'Nothing is done about them: this pipeline has no policy.'
          : `After ${policy.nudge_after_days} days without a sign of life (or a stage’s age limit) the owner gets a task. After ${policy.reengage_after_days} days the deal goes on the re-engage list. After ${policy.close_after_days} days it is closed as lost (${reasons.find((each) => each.value === policy.reason)?.label ?? policy.reason})${policy.then === 'nurture' ? ', with a task to take it up again' : ''}. A planned next step or an open task holds all of it.`}
      </p>
      {editing && <PolicyForm pipeline={pipeline} policy={policy} reasons={reasons} onClose={() => setEditing(false)} />}
    </Card>
  )
}

function PolicyForm({ pipeline, policy, reasons, onClose }: { pipeline: Rec; policy: Read | null; reasons: { value: string; label: string }[]; onClose: () => void }): ReactNode {
  const writing = useWriting()
  const client = useQueryClient()
  const [nudge, setNudge] = useState(String(policy?.nudge_after_days ?? 14))
  const [reengage, setReengage] = useState(String(policy?.reengage_after_days ?? 28))
  const [close, setClose] = useState(String(policy?.close_after_days ?? 60))
  const [then, setThen] = useState(policy?.then ?? 'lost')
  const [reason, setReason] = useState(policy?.reason ?? 'no_decision')
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const save = async (value: Json): Promise<void> => {
    setBusy(true)
    setFailure(undefined)
    try {
      const saved = await writing.save(pipeline, { stagnation_policy: value }, null)
      if (saved.kind === 'conflict') return setFailure('Somebody changed the policy meanwhile.')
      await client.invalidateQueries({ queryKey: ['stagnation'] })
      tell(value === null ? 'The policy is taken away' : 'The policy holds from tomorrow morning')
      onClose()
    } catch (problem) {
      const { message, remedy } = explain(problem)
      setFailure([message, remedy].filter((each) => each !== null).join(' '))
    } finally {
      setBusy(false)
    }
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    void save(JSON.stringify({ nudge_after_days: Number(nudge), reengage_after_days: Number(reengage), close_after_days: Number(close), then, reason }))
  }
  return (
    <Dialog title="Deals in which nothing happens" onClose={onClose} width={480}>
      <form onSubmit={submit} className={css['form']} noValidate>
        <div className={css['pair']}>
          <TextInput size="sm" label="Nudge after days" inputMode="numeric" value={nudge} onChange={(event) => setNudge(event.currentTarget.value)} />
          <TextInput size="sm" label="Re-engage after days" inputMode="numeric" value={reengage} onChange={(event) => setReengage(event.currentTarget.value)} />
          <TextInput size="sm" label="Close after days" inputMode="numeric" value={close} onChange={(event) => setClose(event.currentTarget.value)} />
        </div>
        <NativeSelect size="sm" label="Then" value={then} data={[{ value: 'lost', label: 'Close as lost' }, { value: 'nurture', label: 'Close as lost, with a task to take it up again' }]} onChange={(event) => setThen(event.currentTarget.value)} />
        <NativeSelect size="sm" label="Lost reason" value={reason} data={reasons} onChange={(event) => setReason(event.currentTarget.value)} />
        {failure !== undefined && <p role="alert" className={css['error']}>{failure}</p>}
        <div className={css['buttons']}>
          <Button type="submit" loading={busy}>Save policy</Button>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          {policy !== null && <Button variant="subtle" onClick={() => void save(null)}>Take the policy away</Button>}
        </div>
      </form>
    </Dialog>
  )
}
