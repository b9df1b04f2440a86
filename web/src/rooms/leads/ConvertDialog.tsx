import { Button, Checkbox, SegmentedControl, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { explain } from '../../api/problem'
import type { Rec } from '../../api/records'
import { useSession } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import shared from '../imports/Page.module.css'
import { RecordPicker } from '../record/FieldInput'
import { type Conversion, convertLead, type Converted, type Side } from './contract'

interface Props {
  lead: Rec
  onConverted: (converted: Converted) => void
  onClose: () => void
}

const textOf = (lead: Rec, field: string): string => {
  const value = lead.fields[field]
  return typeof value === 'string' ? value : ''
}

/** ConvertDialog turns a lead into a contact, its account and a deal, all together or not at all. */
export function ConvertDialog({ lead, onConverted, onClose }: Props): ReactNode {
  const { me } = useSession()
  const company = textOf(lead, 'company')
  const [accountWay, setAccountWay] = useState(company === '' ? 'none' : 'new')
  const [account, setAccount] = useState(company)
  const [accountId, setAccountId] = useState('')
  const [contactWay, setContactWay] = useState('new')
  const [contact, setContact] = useState(textOf(lead, 'name'))
  const [contactId, setContactId] = useState('')
  const [withDeal, setWithDeal] = useState(true)
  const [deal, setDeal] = useState(company === '' ? textOf(lead, 'title') : company)
  const [amount, setAmount] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const side = (way: string, id: string, name: string): Side => (way === 'existing' ? { id } : { fields: { name: name.trim() === '' ? null : name.trim() } })
    if ((accountWay === 'existing' && accountId === '') || (contactWay === 'existing' && contactId === '')) {
      setError('Choose the existing record, or make a new one.')
      return
    }
    const conversion: Conversion = { contact: side(contactWay, contactId, contact) }
    if (accountWay !== 'none') conversion.account = side(accountWay, accountId, account)
    if (withDeal) conversion.deal = { fields: { name: deal.trim() === '' ? null : deal.trim(), ...(amount.trim() === '' ? {} : { amount: { amount: amount.trim(), currency: me.workspace.currency } }) } }
    setBusy(true)
    setError(undefined)
    try {
      onConverted(await convertLead(lead.id, conversion))
      onClose()
    } catch (problem) {
      const { message, remedy } = explain(problem)
      setError([message, remedy].filter((each) => each !== null).join(' '))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={`Convert ${textOf(lead, 'title')}`} onClose={onClose} width={540}>
      <form className={shared['form']} onSubmit={(event) => void submit(event)} noValidate>
        <SegmentedControl size="xs" aria-label="Account" value={accountWay} onChange={setAccountWay} data={[{ value: 'new', label: 'New account' }, { value: 'existing', label: 'Existing account' }, { value: 'none', label: 'No account' }]} />
        {accountWay === 'new' && <TextInput label="Account name" value={account} onChange={(event) => setAccount(event.currentTarget.value)} />}
        {accountWay === 'existing' && <RecordPicker to="account" among={null} label="Account" value={accountId} onValue={setAccountId} />}
        <SegmentedControl size="xs" aria-label="Contact" value={contactWay} onChange={setContactWay} data={[{ value: 'new', label: 'New contact' }, { value: 'existing', label: 'Existing contact' }]} />
        {contactWay === 'new'
          ? <TextInput label="Contact name" value={contact} onChange={(event) => setContact(event.currentTarget.value)} />
          : <RecordPicker to="contact" among={null} label="Contact" value={contactId} onValue={setContactId} />}
        <Checkbox label="Open a deal" checked={withDeal} onChange={(event) => setWithDeal(event.currentTarget.checked)} />
        {withDeal && <TextInput label="Deal name" value={deal} onChange={(event) => setDeal(event.currentTarget.value)} />}
        {withDeal && <TextInput label={`Amount (${me.workspace.currency})`} inputMode="decimal" value={amount} onChange={(event) => setAmount(event.currentTarget.value)} />}
        {error !== undefined && <p role="alert" className={shared['error']}>{error}</p>}
        <p className={shared['hint']}>Calls, tasks, visits and submissions come along. All of it is written together, or nothing.</p>
        <div className={shared['buttons']}>
          <Button type="submit" loading={busy}>Convert</Button>
          <Button variant="default" onClick={onClose}>Not now</Button>
        </div>
      </form>
    </Dialog>
  )
}
