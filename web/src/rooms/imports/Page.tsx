import { Button, Checkbox, Progress, Textarea } from '@mantine/core'
import { IconFileUpload } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type DragEvent, type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { upload } from '../../api/client'
import { Fields } from '../../api/decode'
import { mayWrite } from '../../api/me'
import { explain } from '../../api/problem'
import type { Wire } from '../../api/wire'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { decodeImport, fetchImports, importForm, importKey, importsKey, isActive, propose } from './contract'
import css from './Page.module.css'
import { StateTag } from './StateTag'

/** ImportsPage asks: what came in, what was refused? It leads to mapping, trying out, running and undoing an import. */
export function ImportsPage(): ReactNode {
  const { me } = useSession()
  return (
    <>
      <PageHead title="Imports" scope="CSV and Parquet · every row tells its fate · an import can be undone as a whole" />
      {mayWrite(me) && <NewImport />}
      <History />
    </>
  )
}

function NewImport(): ReactNode {
  const navigate = useNavigate()
  const client = useQueryClient()
  const format = useFormat()
  const input = useRef<HTMLInputElement>(null)
  const running = useRef<() => void>(undefined)
  const [file, setFile] = useState<File>()
  const [mapping, setMapping] = useState('')
  const [dryRun, setDryRun] = useState(true)
  const [over, setOver] = useState(false)
  const [sent, setSent] = useState<number>()
  const [busy, setBusy] = useState<'propose' | 'upload'>()
  const [failure, setFailure] = useState<unknown>()
  const hint = useId()
  useEffect(() => () => running.current?.(), [])

  const take = (next: File | undefined): void => {
    if (next === undefined) return
    setFile(next)
    setMapping('')
    setFailure(undefined)
  }
  const ask = async (): Promise<void> => {
    if (file === undefined) return
    setBusy('propose')
    setFailure(undefined)
    try {
      setMapping(await propose(file))
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(undefined)
    }
  }
  const start = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (file === undefined) return
    setBusy('upload')
    setFailure(undefined)
    setSent(0)
    const { done, abort } = upload('/imports', importForm(file, mapping, dryRun), (bytes, total) => setSent(total === 0 ? 0 : bytes / total))
    running.current = abort
    try {
      const item = decodeImport(new Fields<Wire['Import']>((await done).body, 'import'))
      client.setQueryData(importKey(item.id), item)
      void client.invalidateQueries({ queryKey: importsKey, exact: true })
      running.current = undefined
      await navigate({ to: '/imports/$id', params: { id: item.id } })
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(undefined)
      setSent(undefined)
      running.current = undefined
    }
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer.files[0])
  }
  return (
    <Card title="Import a file">
      <form className={css['form']} onSubmit={(event) => void start(event)}>
        <div className={`${css['drop']} ${over ? css['over'] : ''}`} onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }} onDragLeave={() => setOver(false)} onDrop={drop}>
          <IconFileUpload size={22} stroke={1.6} />
          <div className={css['file']}>
            {file === undefined ? 'Drop a file here, or choose one.' : <><strong>{file.name}</strong> <span className="dim">{format.bytes(file.size)}</span></>}
          </div>
          <input ref={input} type="file" className="sr" tabIndex={-1} aria-label="File to import" accept=".csv,.tsv,.txt,.parquet,text/csv" onChange={(event) => take(event.currentTarget.files?.[0])} />
          <Button size="xs" variant="default" onClick={() => input.current?.click()}>{file === undefined ? 'Choose a file' : 'Choose another'}</Button>
        </div>
        {file !== undefined && (
          <>
            <div className={css['mappingHead']}>
              <label htmlFor="mapping">Mapping</label>
              <Button size="compact-xs" variant="subtle" loading={busy === 'propose'} onClick={() => void ask()}>Propose a mapping</Button>
            </div>
            <Textarea id="mapping" size="xs" aria-describedby={hint} classNames={{ input: css['yaml'] ?? '' }} placeholder="YAML. Left empty, Canopy proposes one and uses it." autosize minRows={4} maxRows={24} spellCheck={false}
              value={mapping} onChange={(event) => setMapping(event.currentTarget.value)} />
            <p id={hint} className={css['hint']}>Which column becomes which field, how values are translated, and by which key records are found again.</p>
            <Checkbox size="sm" label="Dry run: check every row and write nothing" checked={dryRun} onChange={(event) => setDryRun(event.currentTarget.checked)} />
            {sent !== undefined && <div><Progress value={sent * 100} aria-label="Upload" size="sm" /><p className={css['hint']} role="status">{format.percent(sent)} sent</p></div>}
            {failure !== undefined && <FailureLine error={failure} />}
            <div className={css['buttons']}>
              <Button type="submit" loading={busy === 'upload'} disabled={busy === 'propose'}>{dryRun ? 'Try it out' : 'Start the import'}</Button>
              {busy === 'upload' && <Button variant="default" onClick={() => running.current?.()}>Stop the upload</Button>}
            </div>
          </>
        )}
      </form>
    </Card>
  )
}

function FailureLine({ error }: { error: unknown }): ReactNode {
  const { message, remedy } = explain(error)
  return <p role="alert" className={css['failure']}>{message} {remedy}</p>
}

function History(): ReactNode {
  const format = useFormat()
  const list = useQuery({
    queryKey: importsKey, queryFn: ({ signal }) => fetchImports(signal),
    refetchInterval: (query) => (query.state.data?.some((item) => isActive(item.state)) === true ? 2000 : false),
  })
  return (
    <Card title="Earlier imports" flush>
      {list.data === undefined
        ? list.isError ? <Failed what="The list of imports" error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={4} label="The list of imports" />
        : list.data.length === 0 ? <Empty title="Nothing has been imported yet">Choose a file above to start.</Empty> : (
          <div className={css['scroll']} role="group" aria-label="Earlier imports" tabIndex={0}>
            <table className={css['table']}>
              <thead><tr><th scope="col">File</th><th scope="col">State</th><th scope="col" className={css['right']}>Rows</th><th scope="col" className={css['right']}>Created</th><th scope="col" className={css['right']}>Updated</th><th scope="col" className={css['right']}>Refused</th><th scope="col">Started</th><th scope="col">By</th></tr></thead>
              <tbody>
                {list.data.map((item) => (
                  <tr key={item.id}>
                    <th scope="row"><Link to="/imports/$id" params={{ id: item.id }}>{item.fileName === '' ? `Import ${item.id}` : item.fileName}</Link>{item.dryRun && <span className="dim"> · dry run</span>}</th>
                    <td><StateTag state={item.state} /></td>
                    {[item.rowsRead, item.created, item.updated, item.refused].map((value, i) => <td key={i} className={`${css['right']} num`}>{format.whole(value)}</td>)}
                    <td>{item.createdAt === '' ? '—' : format.instant(item.createdAt)}</td>
                    <td>{item.by}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
    </Card>
  )
}
