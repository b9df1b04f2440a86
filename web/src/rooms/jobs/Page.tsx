import { Button, Progress } from '@mantine/core'
import { IconArrowBackUp, IconDownload, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useFormat } from '../../app/session'
import { Card } from '../../kit/Card'
import { Dialog } from '../../kit/Dialog'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import { isActive } from '../imports/contract'
import { StateTag } from '../imports/StateTag'
import { act, fetchJobs, type Job, type JobAction, type JobKind, jobsKey, share } from './contract'
import css from './Page.module.css'

const tabs: { kind: JobKind | undefined; label: string }[] = [
  { kind: undefined, label: 'All' }, { kind: 'bulk', label: 'Bulk edits' }, { kind: 'export', label: 'Exports' }, { kind: 'import', label: 'Imports' },
]

/** JobsPage asks: what long work is going on, how far is it, and what became of it? */
export function JobsPage(): ReactNode {
  const { kind } = useSearch({ from: '/app/admin/jobs' })
  const jobs = useQuery({
    queryKey: [...jobsKey, kind ?? 'all'], queryFn: ({ signal }) => fetchJobs(kind, signal),
    refetchInterval: (query) => (query.state.data?.some((job) => isActive(job.state)) === true ? 1000 : 15_000),
  })
  useWhenOver(jobs.data)
  return (
    <>
      <PageHead title="Jobs" scope="Bulk edits, exports and imports · they go on after a restart · a bulk edit can be undone as a whole" />
      <nav className={css['tabs']} aria-label="Kind of job">
        {tabs.map((tab) => <Link key={tab.label} to="/admin/jobs" search={{ kind: tab.kind }} className={css['tab']} aria-current={tab.kind === kind ? 'page' : undefined}>{tab.label}</Link>)}
      </nav>
      <Card title={tabs.find((tab) => tab.kind === kind)?.label ?? 'All'} flush>
        {jobs.data === undefined
          ? jobs.isError ? <Failed what="The list of jobs" error={jobs.error} retry={() => void jobs.refetch()} /> : <Waiting rows={4} label="The list of jobs" />
          : jobs.data.length === 0 ? <Empty title="There are no jobs here">Bulk edits and exports that are started from a list, and imports, appear here with their progress.</Empty>
            : <ul className={css['list']}>{jobs.data.map((job) => <Row key={job.id} job={job} />)}</ul>}
      </Card>
    </>
  )
}

/** useWhenOver asks again for all that jobs have changed, once one is over. */
function useWhenOver(jobs: Job[] | undefined): void {
  const client = useQueryClient()
  const before = useRef(new Set<string>())
  useEffect(() => {
    if (jobs === undefined) return
    const now = new Set(jobs.filter((job) => isActive(job.state)).map((job) => job.id))
    if ([...before.current].some((id) => !now.has(id))) {
      for (const key of ['records', 'record', 'timeline', 'trees']) void client.invalidateQueries({ queryKey: [key] })
    }
    before.current = now
  }, [jobs, client])
}

function Row({ job }: { job: Job }): ReactNode {
  const format = useFormat()
  const part = share(job)
  const undo = job.state === 'undoing' || job.state === 'undone'
  const unit = job.kind === 'import' && !undo ? 'rows' : 'records'
  const counts: [string, number][] = undo
    ? [['put back', job.undone], ['kept', job.kept]]
    : [['created', job.created], [job.dryRun ? 'would change' : 'changed', job.changed], ['unchanged', job.unchanged], ['refused', job.refused]]
  const progress = job.total === null ? `${format.whole(job.done)} ${unit}` : `${format.whole(job.done)} of ${format.whole(job.total)} ${unit}`
  return (
    <li className={css['job']} aria-label={job.title}>
      <div className={css['head']}>
        <strong className={css['name']}>{job.kind === 'import' ? <Link to="/imports/$id" params={{ id: job.id.slice('import_'.length) }}>{job.title}</Link> : job.title}</strong>
        <StateTag state={job.state} />
        {job.dryRun && <span className="dim">dry run</span>}
        <span className={css['actions']}>{job.actions.map((action) => <Action key={action} job={job} action={action} />)}</span>
      </div>
      {isActive(job.state) && <Progress value={(part ?? 1) * 100} animated striped={part === null} size="sm" aria-label={`Progress of ${job.title}`} />}
      {job.error !== '' && <p className={css['error']} role="alert">{job.error}</p>}
      <p className={css['facts']}>
        <span className="num">{progress}</span>
        {counts.filter(([, count]) => count > 0).map(([label, count]) => <span key={label} className="num">{format.whole(count)} {label}</span>)}
        <span>{format.instant(job.createdAt)}{job.by !== '' && ` by ${job.by}`}</span>
        {job.refusedUrl !== '' && <a href={job.refusedUrl} download>{undo ? 'Download what was kept and refused' : `Download the ${format.whole(job.refused)} refused ${unit}`}</a>}
      </p>
      {job.file !== null && (
        <p className={css['facts']}>
          {job.file.url === '' ? <span>The file was kept until {format.instant(job.file.expiresAt)}.</span> : (
            <>
              <Button component="a" href={job.file.url} download={job.file.name} size="compact-sm" variant="default" leftSection={<IconDownload size={15} />}>{job.file.name}</Button>
              <span className="num">{format.bytes(job.file.bytes)}</span>
              <span>as of position {format.whole(job.file.position)}</span>
              <span>kept until {format.instant(job.file.expiresAt)}</span>
            </>
          )}
        </p>
      )}
    </li>
  )
}

const verbs: Record<JobAction, { label: string; told: string; icon: ReactNode }> = {
  cancel: { label: 'Cancel', told: 'The job is stopped', icon: <IconPlayerStop size={15} /> },
  resume: { label: 'Resume', told: 'The job goes on', icon: <IconPlayerPlay size={15} /> },
  undo: { label: 'Undo', told: 'The job is being undone', icon: <IconArrowBackUp size={15} /> },
}

function Action({ job, action }: { job: Job; action: JobAction }): ReactNode {
  const client = useQueryClient()
  const format = useFormat()
  const [asking, setAsking] = useState(false)
  const acting = useMutation({
    mutationFn: () => act(job.id, action),
    onSuccess: () => {
      tell(verbs[action].told)
      void client.invalidateQueries({ queryKey: jobsKey })
    },
    onError: (error) => tellFailure('That did not work', error),
  })
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={verbs[action].icon} loading={acting.isPending} aria-label={`${verbs[action].label}: ${job.title}`} onClick={() => (action === 'undo' ? setAsking(true) : acting.mutate())}>{verbs[action].label}</Button>
      {asking && (
        <Dialog title="Undo this job?" onClose={() => setAsking(false)} width={420}>
          <p>{format.whole(job.created + job.changed)} records become what they were. What others have changed since is left as it is, and listed. The history stays.</p>
          <div className={css['buttons']}>
            <Button color="red.9" onClick={() => {
              setAsking(false)
              acting.mutate()
            }}>Undo the job</Button>
            <Button variant="default" onClick={() => setAsking(false)}>Keep it</Button>
          </div>
        </Dialog>
      )}
    </>
  )
}
