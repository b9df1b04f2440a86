import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Json } from '../../api/decode'
import type { Rec } from '../../api/records'
import { readTried } from './contract'
import css from './Page.module.css'

interface Props {
  lead: Rec
  path: string
  here: boolean
  onHere: () => void
  state: { words: string; late: boolean }
  children: ReactNode
}

const said = (value: Json | undefined): string => (typeof value === 'string' && value !== '' ? value : '—')

/** LeadRow is one lead with its clock in words, where it came from, and why its owner has it. */
export function LeadRow({ lead, path, here, onHere, state, children }: Props): ReactNode {
  const tried = readTried(lead.fields['assignment_explanation'])
  const source = [said(lead.fields['source']), lead.titles['campaign'] ?? ''].filter((each) => each !== '').join(' · ')
  return (
    <tr className={here ? css['at'] : undefined} onMouseDown={onHere} onFocus={onHere}>
      <th scope="row"><Link to={path}>{said(lead.fields['title'])}</Link>{typeof lead.fields['company'] === 'string' && <div className="dim">{lead.fields['company']}</div>}</th>
      <td className={state.late ? css['late'] : undefined}>{state.words}</td>
      <td>{source}</td>
      <td>{lead.titles['owner'] ?? 'Nobody yet'}</td>
      <td>
        {typeof lead.fields['assignment_reason'] !== 'string'
          ? '—'
          : tried.length === 0
            ? <span className={css['why']}>{lead.fields['assignment_reason']}</span>
            : (
              <details className={css['why']}>
                <summary>{lead.fields['assignment_reason']}</summary>
                <ul>
                  {tried.map((rule) => (
                    <li key={rule.rule}>{rule.rule}{rule.whyNot !== '' && `: ${rule.whyNot}`}
                      {rule.considered.length > 0 && <ul>{rule.considered.map((one) => <li key={one.name}>{one.name}: {one.whyNot === '' ? 'chosen' : one.whyNot}</li>)}</ul>}
                    </li>
                  ))}
                </ul>
              </details>
            )}
      </td>
      {children !== undefined && <td><div className={css['acts']}>{children}</div></td>}
    </tr>
  )
}
