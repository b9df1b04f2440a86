import { Button, Popover, TextInput } from '@mantine/core'
import { IconClock } from '@tabler/icons-react'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useFormat } from '../../app/session'
import { instantToZoned, zonedToInstant } from '../../format/format'

/** BackDate sets when what is written next has happened; null is now. It stays set, in plain sight, until it is cleared. */
export function BackDate({ value, onValue }: { value: string | null; onValue: (at: string | null) => void }): ReactNode {
  const format = useFormat()
  const { zone } = format.place
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const at = zonedToInstant(zone, text)
    if (at === null) return setError('Give a day and a time.')
    if (Date.parse(at) > Date.now()) return setError('It cannot have happened in the future.')
    onValue(at)
    setOpen(false)
  }
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" trapFocus width={270} withinPortal={false}>
      <Popover.Target>
        <Button size="xs" variant={value === null ? 'default' : 'filled'} leftSection={<IconClock size={15} />} onClick={() => {
          setText(instantToZoned(zone, value === null ? new Date() : new Date(value)))
          setError(undefined)
          setOpen(!open)
        }}>{value === null ? 'Happens now' : `Happened ${format.instant(value)}`}</Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={submit} style={{ display: 'grid', gap: 10 }}>
          <TextInput size="xs" type="datetime-local" label={`When did it happen? (${zone})`} description="Changes made here count from then on, in reports too." value={text} error={error} onChange={(event) => setText(event.currentTarget.value)} />
          <div style={{ display: 'flex', gap: 8 }}>
            <Button size="xs" type="submit">Use this time</Button>
            <Button size="xs" variant="default" onClick={() => {
              onValue(null)
              setOpen(false)
            }}>Now</Button>
          </div>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
