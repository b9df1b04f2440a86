import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { Tag } from '../../kit/Change'
import type { Fate, Preview } from './contract'
import css from './Page.module.css'

const look: Record<Fate, { tone: 'quiet' | 'good' | 'bad' | 'accent'; words: string }> = {
  created: { tone: 'good', words: 'Created' }, updated: { tone: 'accent', words: 'Updated' }, unchanged: { tone: 'quiet', words: 'Unchanged' }, refused: { tone: 'bad', words: 'Refused' }, 'left out': { tone: 'quiet', words: 'Left out' },
}

const shown = 20

/** FirstRows tells what an import would make of a file's first rows. */
export function FirstRows({ preview }: { preview: Preview }): ReactNode {
  const format = useFormat()
  if (preview.problems.length > 0) {
    return <div role="alert" className={css['error']}>{preview.problems.map((problem) => <p key={problem}>{problem}</p>)}</div>
  }
  const rows = [...preview.rows.filter((row) => row.fate === 'refused'), ...preview.rows.filter((row) => row.fate !== 'refused')].slice(0, shown)
  const counts: [string, number][] = [['Would be created', preview.created], ['Would be updated', preview.updated], ['Unchanged', preview.unchanged], ['Refused', preview.refused]]
  return (
    <div className={css['stack']}>
      <dl className={css['counts']}>{counts.map(([label, count]) => <div key={label}><dt>{label}</dt><dd className={`num ${label === 'Refused' && count > 0 ? 'bad' : ''}`}>{format.whole(count)}</dd></div>)}</dl>
      {preview.notes.length > 0 && <ul className={css['notes']}>{preview.notes.map((note) => <li key={note.text}><b className="num">{format.whole(note.count)}</b><span>{note.text}</span></li>)}</ul>}
      <div className={css['scroll']} role="group" aria-label="First rows" tabIndex={0}>
        <table className={css['table']}>
          <thead><tr><th scope="col">Row</th><th scope="col">Fate</th><th scope="col">Reason</th>{preview.columns.slice(0, 8).map((column) => <th key={column.name} scope="col">{column.name}</th>)}</tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.row}>
                <th scope="row" className="num">{row.row}</th>
                <td><Tag tone={look[row.fate].tone}>{look[row.fate].words}</Tag></td>
                <td>{row.reason === '' ? '—' : `${row.reason}${row.remedy === '' ? '' : ` ${row.remedy}`}`}</td>
                {row.cells.slice(0, 8).map((cell, i) => <td key={i}>{cell}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}
