import { Kbd, Switch } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { Dialog } from '../kit/Dialog'
import { setSingleKeys, singleKeysOn } from './keys'
import css from './ShortcutList.module.css'

const shortcuts: [keys: string, what: string][] = [
  ['Ctrl K', 'Search or jump'], ['/', 'Search or jump'], ['G T', 'Today'], ['G K', 'Tasks'], ['G R', 'Weekly review'], ['G P', 'Pipeline'], ['G D', 'Deals'], ['G A', 'Accounts'], ['G I', 'Imports'], ['G F', 'Fields'], ['G J', 'Jobs'], ['G S', 'System'],
  ['J', 'Next row'], ['K', 'Previous row'], ['Enter', 'Open the row, or edit the cell'], ['X', 'Select the row'], ['Tab', 'Save the cell and edit the next'], ['C', 'New record, on a list'], ['E', 'Edit a cell of the row, or the first field of a record'], ['[', 'Previous record of the list'], [']', 'Next record of the list'], ['L', 'Log what was done, on a record'],
  ['Ctrl Enter', 'Save the log entry'], ['?', 'This list'],
]

export function ShortcutList({ onClose }: { onClose: () => void }): ReactNode {
  const [on, setOn] = useState(singleKeysOn)
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className={css['list']}>
        {shortcuts.map(([keys, what]) => (
          <div key={keys}><dt>{keys.split(' ').map((key) => <Kbd key={key} size="xs">{key}</Kbd>)}</dt><dd>{what}</dd></div>
        ))}
      </dl>
      <Switch label="Single-letter shortcuts" checked={on} onChange={(event) => {
        setOn(event.currentTarget.checked)
        setSingleKeys(event.currentTarget.checked)
      }} />
    </Dialog>
  )
}
