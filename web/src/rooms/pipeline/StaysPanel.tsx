import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useFormat } from '../../app/session'
import { undefinedMark } from '../../format/format'
import { Card } from '../../kit/Card'
import { Failed, Waiting } from '../../kit/states'
import type { PanelProps } from '../record/panels'
import { fetchStays, staysKey } from './contract'
import css from './Page.module.css'

/** StaysPanel tells which stages a deal has been in, and for how long. */
export function StaysPanel({ record }: PanelProps): ReactNode {
  const format = useFormat()
  const stays = useQuery({ queryKey: staysKey(record.id, record.version), queryFn: ({ signal }) => fetchStays(record.id, signal), placeholderData: (old) => old })
  return (
    <Card title="Time in stages" stale={stays.isPlaceholderData}>
      {stays.isPending && <Waiting rows={3} label="Time in stages" />}
      {stays.isError && <Failed what="Time in stages" error={stays.error} retry={() => void stays.refetch()} />}
      {stays.data !== undefined && (
        <table className={css['stays']}>
          <caption className="sr">Time in stages</caption>
          <thead><tr><th scope="col">Stage</th><th scope="col">Entered</th><th scope="col" className={css['right']}>Days</th></tr></thead>
          <tbody>
            {stays.data.map((stay, i) => (
              <tr key={i}>
                <th scope="row">{stay.title}</th>
                <td>{stay.enteredAt === null ? <span className="dim">not known</span> : format.instant(stay.enteredAt)}</td>
                <td className={`${css['right']} num`}>{stay.days === null ? undefinedMark : format.decimal(stay.days, 1)}{stay.leftAt === null && stay.days !== null && <span className="dim"> so far</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}
