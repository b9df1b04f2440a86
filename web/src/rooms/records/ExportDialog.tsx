import { Button, Radio } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type ExportFormat, exportFormats, type Job, startExport } from '../../api/jobs'
import type { ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import { explain } from '../../api/problem'
import { Dialog } from '../../kit/Dialog'
import css from './BulkBar.module.css'
import { JobProgress } from './JobProgress'

interface Props {
  object: ObjectInfo
  list: { filter: Predicate | null; sort: string }
  /** the columns that are shown, the title first */
  columns: string[]
  onClose: () => void
}

const formats: Record<ExportFormat, { label: string; description: string }> = {
  csv: { label: 'CSV', description: 'For spreadsheets; what one would run as a formula is made harmless' },
  parquet: { label: 'Parquet', description: 'For data tools; columns with their types' },
  arrow: { label: 'Arrow', description: 'For programs; columns with their types' },
}

/** ExportDialog writes the list as it is shown into a file: its filter and order, with the columns that are shown or with all fields. */
export function ExportDialog({ object, list, columns, onClose }: Props): ReactNode {
  const [format, setFormat] = useState<ExportFormat>('csv')
  const [whole, setWhole] = useState(false)
  const [job, setJob] = useState<Job | null>(null)
  const [failure, setFailure] = useState<string>()
  const [busy, setBusy] = useState(false)
  const title = `Export ${object.plural.toLowerCase()}`
  if (job !== null) return <JobProgress first={job} title={title} onClose={onClose} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    startExport(object.name, { ...list, columns: whole ? null : ['id', ...columns] }, format).then(setJob, (problem: unknown) => setFailure(explain(problem).message)).finally(() => setBusy(false))
  }
  return (
    <Dialog title={title} onClose={onClose} width={440}>
      <form className={css['form']} onSubmit={submit}>
        <p className="dim">All rows of this list that you may see, in its order{list.filter !== null && ', as filtered'}.</p>
        <Radio.Group label="Format" value={format} onChange={(value) => setFormat(exportFormats.find((each) => each === value) ?? 'csv')}>
          <div className={css['radios']}>{exportFormats.map((each) => <Radio key={each} value={each} label={formats[each].label} description={formats[each].description} />)}</div>
        </Radio.Group>
        <Radio.Group label="Columns" value={whole ? 'all' : 'shown'} onChange={(value) => setWhole(value === 'all')}>
          <div className={css['radios']}><Radio value="shown" label="Those that are shown" /><Radio value="all" label="All fields" /></div>
        </Radio.Group>
        {failure !== undefined && <p role="alert" className="bad">{failure}</p>}
        <div className={css['buttons']}><Button type="submit" loading={busy}>Export</Button><Button variant="default" onClick={onClose}>Cancel</Button></div>
      </form>
    </Dialog>
  )
}
