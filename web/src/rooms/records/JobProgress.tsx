import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { actOnJob, fetchJob, isAtWork, type Job, jobKey } from '../../api/jobs'
import { explain, sentence } from '../../api/problem'
import { useFormat } from '../../app/session'
import { Dialog } from '../../kit/Dialog'
import { tell } from '../../kit/tell'
import css from './BulkBar.module.css'

function useJob(first: Job): Job {
  return useQuery({ queryKey: jobKey(first.id), queryFn: ({ signal }) => fetchJob(first.id, signal), initialData: first, staleTime: 0, refetchInterval: ({ state }) => (state.data === undefined || isAtWork(state.data) ? 500 : false) }).data
}

/** JobChecked tells what a dry run found. */
export function JobChecked({ first }: { first: Job }): ReactNode {
  return <Facts job={useJob(first)} />
}

/** JobProgress watches a job at the server, stops it, goes on with it, and takes back what it wrote. It may be closed: the job goes on. */
export function JobProgress({ first, title, onClose }: { first: Job; title: string; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const format = useFormat()
  const job = useJob(first)
  const [failure, setFailure] = useState<string>()
  const atWork = isAtWork(job)
  useEffect(() => {
    if (!atWork) for (const key of ['records', 'record', 'related', 'timeline']) void client.invalidateQueries({ queryKey: [key] })
  }, [atWork, client])
  const act = (action: 'cancel' | 'undo' | 'resume'): void => void actOnJob(job.id, action).then((next) => client.setQueryData(jobKey(job.id), next), (problem: unknown) => setFailure(explain(problem).message))
  const said: Record<Job['state'], string> = {
    waiting: 'Waiting to begin', running: 'At work', done: 'Done', cancelled: 'Stopped', failed: 'It could not go on', undoing: 'Taking back', undone: 'Taken back',
  }
  return (
    <Dialog title={title} onClose={() => {
      if (atWork) tell('It goes on at the server')
      onClose()
    }} width={480}>
      <div className={css['form']}>
        <p role="status"><strong>{said[job.state]}</strong>{job.error !== '' && <>: {sentence(job.error)}</>}</p>
        {atWork && <div className={css['bar8']} role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={job.total ?? undefined} aria-valuenow={job.total === null ? undefined : job.done}><div style={{ width: `${job.total === null || job.total === 0 ? 0 : (100 * job.done) / job.total}%` }} /></div>}
        <Facts job={job} />
        {job.file !== null && job.file.url !== '' && <p><a href={job.file.url} download={job.file.name}><strong>{job.file.name}</strong></a> · {format.bytes(job.file.bytes)}</p>}
        {failure !== undefined && <p role="alert" className="bad">{failure}</p>}
        <div className={css['buttons']}>
          {job.actions.includes('cancel') && <Button variant="default" onClick={() => act('cancel')}>Stop</Button>}
          {job.actions.includes('resume') && <Button variant="default" onClick={() => act('resume')}>Go on</Button>}
          {job.actions.includes('undo') && <Button variant="default" onClick={() => act('undo')}>Undo all</Button>}
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  )
}

function Facts({ job }: { job: Job }): ReactNode {
  const format = useFormat()
  const facts: [string, number | null][] = job.kind === 'export' ? [['Records', job.done]] : [[job.dryRun ? 'Would change' : 'Changed', job.changed], ['Already so', job.unchanged], ['Refused', job.refused], ['Taken back', job.undone === 0 ? null : job.undone], ['Left, since others changed them', job.kept === 0 ? null : job.kept]]
  return (
    <div role="status">
      <dl className={css['facts']}>
        {facts.map(([label, value]) => value !== null && <div key={label} style={{ display: 'contents' }}><dt>{label}</dt><dd className="num">{format.whole(value)}{isAtWork(job) ? ' so far' : ''}</dd></div>)}
      </dl>
      {job.refusedUrl !== '' && <a href={job.refusedUrl} download>Which were refused, and why (CSV)</a>}
    </div>
  )
}
