import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import css from './AsTable.module.css'

/** useAsTable gives a chart's switch between picture and table. */
export function useAsTable(): { asTable: boolean; button: ReactNode } {
  const [asTable, setAsTable] = useState(false)
  return { asTable, button: <Button size="compact-xs" variant="subtle" onClick={() => setAsTable(!asTable)}>{asTable ? 'Show as chart' : 'Show as table'}</Button> }
}

interface Props {
  caption: string
  head: string[]
  /** the first cell of a row is its heading */
  rows: ReactNode[][]
}

/** DataTable is the table behind a chart. */
export function DataTable({ caption, head, rows }: Props): ReactNode {
  return (
    <div className={css['scroll']} tabIndex={0} role="group" aria-label={caption}>
      <table className={css['table']}>
        <caption className="sr">{caption}</caption>
        <thead><tr>{head.map((each, i) => <th key={each} scope="col" className={i === 0 ? undefined : css['right']}>{each}</th>)}</tr></thead>
        <tbody>
          {rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, i) => (i === 0 ? <th key={i} scope="row">{cell}</th> : <td key={i} className={`${css['right']} num`}>{cell}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
