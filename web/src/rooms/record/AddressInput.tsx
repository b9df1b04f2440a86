import { Input, TextInput } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import { readAddress } from '../records/value'
import css from './AddressInput.module.css'

const lines: { name: string; label: string; autoComplete: string; wide?: boolean }[] = [
  { name: 'line1', label: 'Street and number', autoComplete: 'address-line1', wide: true }, { name: 'line2', label: 'Second line', autoComplete: 'address-line2', wide: true },
  { name: 'postal_code', label: 'Postal code', autoComplete: 'postal-code' }, { name: 'city', label: 'City', autoComplete: 'address-level2' },
  { name: 'region', label: 'Region', autoComplete: 'address-level1' }, { name: 'country', label: 'Country', autoComplete: 'country' },
]

interface Props {
  label: ReactNode
  description?: string | undefined
  error?: string | undefined
  /** the address as JSON text; '' for none */
  text: string
  onText: (text: string) => void
  autoFocus?: boolean
  size?: 'xs' | 'sm'
}

/** AddressInput asks an address line by line; an address without any line is none. */
export function AddressInput({ label, description, error, text, onText, autoFocus = false, size = 'sm' }: Props): ReactNode {
  const id = useId()
  const address = readAddress(text)
  const change = (name: string, value: string): void => {
    const next = Object.fromEntries(Object.entries({ ...address, [name]: value }).filter(([, each]) => each.trim() !== ''))
    onText(Object.keys(next).length === 0 ? '' : JSON.stringify(next))
  }
  return (
    <div role="group" aria-labelledby={id} className={css['group']}>
      <div className={css['wide']}><Input.Label id={id} labelElement="div" size={size}>{label}</Input.Label>{description !== undefined && description !== '' && <Input.Description size={size}>{description}</Input.Description>}</div>
      {lines.map((line, i) => (
        <TextInput key={line.name} size={size} className={line.wide === true ? css['wide'] ?? '' : ''} aria-label={line.label} placeholder={line.label} autoComplete={line.autoComplete} maxLength={200} autoFocus={autoFocus && i === 0}
          value={address[line.name] ?? ''} onChange={(event) => change(line.name, event.currentTarget.value)} />
      ))}
      {error !== undefined && <Input.Error size={size} className={css['wide'] ?? ''}>{error}</Input.Error>}
    </div>
  )
}
