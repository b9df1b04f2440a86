import { Button, Progress } from '@mantine/core'
import { IconArrowBackUp, IconDownload, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { address } from '../../api/client'
import { mayWrite } from '../../api/me'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { Dialog } from '../../kit/Dialog'
import { PageHead } from '../../kit/PageHead'
import { Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import { listPath } from '../records/names'
import { done, fetchImport, type Import, importKey, importsKey, isActive, steer } from './contract'
import css from './Page.module.css'
import { StateTag } from './StateTag'

/** ImportPage shows how far one import is, what became of its rows, and the ways to stop, go on, or take it back. */
export function ImportPage(): ReactNode {
  const { id } = useParams({ from: '/app/imports/$id' })
  const item = useQuery({
    queryKey: importKey(id), queryFn: ({ signal }) => fetchImport(id, signal),
    refetchInterval: (query) => (query.state.data === undefined || isActive(query.state.data.state) ? 700 : false),
  })
  useWhenOver(item.data)
  if (item.data === undefined) {
    return (
      <>
        <PageHead title="Import" scope=" " />
        <Card title="Progress">{item.isError ? <Failed what="This import" error={item.error} retry={() => void item.refetch()} /> : <Waiting label="This import" />}</Card>
      </>
    )
  }
  return <One item={item.data} stale={item.isError} retry={() => void item.refetch()} />
}

/** useWhenOver asks again for all that an import has changed, once it is over. */
function useWhenOver(item: Import | undefined): void {
  const client = useQueryClient()
  const wasActive = useRef(false)
  const active = item !== undefined && isActive(item.state)
  useEffect(() => {
    if (wasActive.current && !active) {
      void client.invalidateQueries({ queryKey: importsKey, exact: true })
      for (const key of ['records', 'record', 'timeline', 'trees']) void client.invalidateQueries({ queryKey: [key] })
    }
    wasActive.current = active
  }, [active, client])
}

function One({ item, stale, retry }: { item: Import; stale: boolean; retry: () => void }): ReactNode {
  const format = useFormat()
  const object = useObjects().data?.find((each) => each.name === item.object)
  const share = done(item)
  const title = item.fileName === '' ? `Import ${item.id}` : item.fileName
  const counts: [string, number][] = item.state === 'undoing' || item.state === 'undone'
    ? [['Put back', item.undone], ['Kept, changed since', item.conflicts], ['Created before', item.created], ['Updated before', item.updated]]
    : [['Rows read', item.rowsRead], [item.dryRun ? 'Would be created' : 'Created', item.created], [item.dryRun ? 'Would be updated' : 'Updated', item.updated], ['Unchanged', item.unchanged], ['Refused', item.refused]]
  const scope = [`started ${item.createdAt === '' ? '—' : format.instant(item.createdAt)}`, item.by === '' ? '' : `by ${item.by}`, item.finishedAt === '' ? '' : `ended ${format.instant(item.finishedAt)}`, object?.plural ?? '']
  return (
    <>
      <PageHead title={title} scope={<><Link to="/imports">Imports</Link> · {scope.filter((each) => each !== '').join(' · ')}</>}><Steering item={item} /></PageHead>
      <Card title={<>Progress <StateTag state={item.state} />{item.dryRun && <span className="dim"> dry run: nothing is written</span>}</>}
        aside={<span role="status">{item.rowsTotal === null ? `${format.whole(item.rowsRead)} rows` : `${format.whole(item.rowsRead)} of ${format.whole(item.rowsTotal)} rows`}{share !== null && ` · ${format.percent(share)}`}</span>}>
        <div className={css['stack']}>
          <Progress value={(share ?? 1) * 100} animated={isActive(item.state)} striped={share === null} size="lg" aria-label="Rows read" color={item.state === 'failed' ? 'red' : item.state === 'cancelled' || item.state === 'undone' ? 'gray' : 'canopy'} />
          {item.error !== '' && <p className={css['error']} role="alert">{item.error}</p>}
          {stale && <Failed what="The newest state" error={new Error('poll')} retry={retry} />}
          <dl className={css['counts']}>
            {counts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd className={`num ${label === 'Refused' && value > 0 ? 'bad' : ''}`}>{format.whole(value)}</dd></div>)}
          </dl>
          {item.refused > 0 && (
            <div><Button size="xs" variant="default" component="a" href={address(`/imports/${encodeURIComponent(item.id)}/refused.csv`)} download leftSection={<IconDownload size={15} />}>Download the {format.whole(item.refused)} refused rows</Button></div>
          )}
        </div>
      </Card>
      {item.notes.length > 0 && (
        <Card title="Worth knowing" aside="accepted, and counted">
          <ul className={css['notes']}>{item.notes.map((note) => <li key={note.text}><b className="num">{format.whole(note.count)}</b><span>{note.text}</span></li>)}</ul>
        </Card>
      )}
      {item.state === 'done' && (
        <p>{item.dryRun
          ? <Link to="/imports">Start the import for good</Link>
          : <Link to={listPath(item.object === '' ? 'deal' : item.object)}>See the {object?.plural.toLowerCase() ?? 'records'}</Link>}</p>
      )}
    </>
  )
}

function Steering({ item }: { item: Import }): ReactNode {
  const { me } = useSession()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const format = useFormat()
  const steering = useMutation({
    mutationFn: (verb: 'cancel' | 'resume' | 'undo') => steer(item.id, verb),
    onSuccess: (next, verb) => {
      client.setQueryData(importKey(item.id), next)
      tell({ cancel: 'The import is stopped', resume: 'The import goes on', undo: 'The import is being undone' }[verb])
    },
    onError: (error) => tellFailure('That did not work', error),
  })
  if (!mayWrite(me)) return null
  const undoable = !item.dryRun && (item.state === 'done' || item.state === 'cancelled' || item.state === 'failed') && item.created + item.updated > 0
  return (
    <>
      {(item.state === 'waiting' || item.state === 'running') && <Button size="xs" variant="default" leftSection={<IconPlayerStop size={15} />} loading={steering.isPending} onClick={() => steering.mutate('cancel')}>Cancel</Button>}
      {(item.state === 'cancelled' || item.state === 'failed') && <Button size="xs" leftSection={<IconPlayerPlay size={15} />} loading={steering.isPending} onClick={() => steering.mutate('resume')}>Resume</Button>}
      {undoable && <Button size="xs" variant="default" leftSection={<IconArrowBackUp size={15} />} loading={steering.isPending} onClick={() => setAsking(true)}>Undo the import</Button>}
      {asking && (
        <Dialog title="Undo this import?" onClose={() => setAsking(false)} width={420}>
          <p>{format.whole(item.created)} created {item.created === 1 ? 'record goes' : 'records go'} and {format.whole(item.updated)} updated {item.updated === 1 ? 'record becomes' : 'records become'} what {item.updated === 1 ? 'it was' : 'they were'}. What others have changed since is kept. The history stays.</p>
          <div className={css['buttons']}>
            <Button color="red.9" onClick={() => {
              setAsking(false)
              steering.mutate('undo')
            }}>Undo the import</Button>
            <Button variant="default" onClick={() => setAsking(false)}>Keep it</Button>
          </div>
        </Dialog>
      )}
    </>
  )
}
