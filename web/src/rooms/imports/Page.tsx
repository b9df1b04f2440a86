import { Button, Progress, Textarea } from '@mantine/core'
import { IconFileUpload } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type DragEvent, type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { address, upload } from '../../api/client'
import { Fields } from '../../api/decode'
import { mayWrite } from '../../api/me'
import { explain } from '../../api/problem'
import type { Wire } from '../../api/wire'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { decodeImport, fetchImport, fetchImports, importForm, importKey, importsKey, isActive, look, type Preview } from './contract'
import { FirstRows } from './FirstRows'
import { type Draft, headOf, readDraft, writeDraft } from './mapping'
import { MappingForm } from './MappingForm'
import css from './Page.module.css'
import { StateTag } from './StateTag'

/** ImportsPage asks: what came in, what was refused? It leads to mapping, trying out, running and undoing an import. */
export function ImportsPage(): ReactNode {
  const { me } = useSession()
  return (
    <>
      <PageHead title="Imports" scope="CSV, XLSX, Parquet and Arrow · every row tells its fate · an import can be undone as a whole" />
      {mayWrite(me) && <NewImport />}
      <History />
    </>
  )
}

function NewImport(): ReactNode {
  const format = useFormat()
  const input = useRef<HTMLInputElement>(null)
  const [file, setFile] = useState<File>()
  const [over, setOver] = useState(false)
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    setFile(event.dataTransfer.files[0] ?? file)
  }
  return (
    <>
      <Card title="Import a file">
        <div className={`${css['drop']} ${over ? css['over'] : ''}`} onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }} onDragLeave={() => setOver(false)} onDrop={drop}>
          <IconFileUpload size={22} stroke={1.6} />
          <div className={css['file']}>
            {file === undefined ? 'Drop a file here, or choose one.' : <><strong>{file.name}</strong> <span className="dim">{format.bytes(file.size)}</span></>}
          </div>
          <input ref={input} type="file" className="sr" tabIndex={-1} aria-label="File to import" accept=".csv,.tsv,.txt,.xlsx,.parquet,.arrow,.feather,text/csv" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? file)} />
          <Button size="xs" variant="default" onClick={() => input.current?.click()}>{file === undefined ? 'Choose a file' : 'Choose another'}</Button>
        </div>
      </Card>
      {file !== undefined && <Steps key={`${file.name} ${file.size} ${file.lastModified}`} file={file} />}
    </>
  )
}

/** Steps leads from a file to records: map its columns, look at the first rows, check all of them, import. */
function Steps({ file }: { file: File }): ReactNode {
  const [preview, setPreview] = useState<Preview>()
  const [draft, setDraft] = useState<Draft | null>(null)
  const [yaml, setYaml] = useState('')
  const [asText, setAsText] = useState(false)
  const [looked, setLooked] = useState('') // the mapping that the preview is of
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const mapping = asText || draft === null ? yaml : writeDraft(draft)
  const see = useCallback(async (text: string): Promise<void> => {
    setBusy(true)
    setFailure(undefined)
    try {
      const next = await look(await headOf(file), text)
      setPreview(next)
      setLooked(text)
      if (text === '') {
        const read = readDraft(next.draft)
        setDraft(read)
        setAsText(read === null)
        setYaml(next.mapping)
        setLooked(read === null ? next.mapping : writeDraft(read))
      }
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(false)
    }
  }, [file])
  useEffect(() => void see(''), [see])
  if (preview === undefined) {
    return <Card title="Columns">{failure === undefined ? <Waiting rows={6} label="The columns" /> : <FailureLine error={failure} />}</Card>
  }
  const swap = (): void => {
    if (!asText && draft !== null) setYaml(writeDraft(draft))
    setAsText(!asText)
  }
  return (
    <>
      <Card title="Columns" aside={draft === null ? undefined : <Button size="compact-xs" variant="subtle" onClick={swap}>{asText ? 'Show as a form' : 'Show as YAML'}</Button>}>
        {asText || draft === null
          ? (
            <>
              <Textarea size="xs" aria-label="Mapping" classNames={{ input: css['yaml'] ?? '' }} autosize minRows={6} maxRows={24} spellCheck={false} value={yaml} onChange={(event) => setYaml(event.currentTarget.value)} />
              <p className={css['hint']}>YAML knows more than the form: changes in time, conditions, notes and checks. What is written here is not in the form.</p>
            </>
          )
          : <MappingForm draft={draft} columns={preview.columns} onChange={setDraft} />}
        {failure !== undefined && <FailureLine error={failure} />}
        <div className={css['buttons']}><Button size="sm" variant="default" loading={busy} onClick={() => void see(mapping)}>Check the first rows</Button></div>
      </Card>
      <Card title="First rows" stale={mapping !== looked} aside={mapping === looked ? 'as mapped above; nothing is written' : 'of the mapping before; check them again'}>
        <FirstRows preview={preview} />
      </Card>
      <Run file={file} mapping={mapping} />
    </>
  )
}

/** Run sends the whole file: to check every row without writing anything, or for good. */
function Run({ file, mapping }: { file: File; mapping: string }): ReactNode {
  const navigate = useNavigate()
  const client = useQueryClient()
  const format = useFormat()
  const running = useRef<() => void>(undefined)
  const [checked, setChecked] = useState<string>()
  const [sent, setSent] = useState<number>()
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => () => running.current?.(), [])
  useEffect(() => setChecked(undefined), [mapping])
  const start = async (dryRun: boolean): Promise<void> => {
    setFailure(undefined)
    setSent(0)
    const { done, abort } = upload('/imports', importForm(file, mapping, dryRun), (bytes, total) => setSent(total === 0 ? 0 : bytes / total))
    running.current = abort
    try {
      const item = decodeImport(new Fields<Wire['Import']>((await done).body, 'import'))
      client.setQueryData(importKey(item.id), item)
      void client.invalidateQueries({ queryKey: importsKey, exact: true })
      running.current = undefined
      if (dryRun) setChecked(item.id)
      else await navigate({ to: '/imports/$id', params: { id: item.id } })
    } catch (error) {
      setFailure(error)
    } finally {
      setSent(undefined)
      running.current = undefined
    }
  }
  return (
    <Card title="Import">
      <div className={css['stack']}>
        {checked !== undefined && <Checked id={checked} />}
        {sent !== undefined && <div><Progress value={sent * 100} aria-label="Upload" size="sm" /><p className={css['hint']} role="status">{format.percent(sent)} sent</p></div>}
        {failure !== undefined && <FailureLine error={failure} />}
        <div className={css['buttons']}>
          <Button variant="default" disabled={sent !== undefined} onClick={() => void start(true)}>Check every row</Button>
          <Button disabled={sent !== undefined} onClick={() => void start(false)}>Start the import</Button>
          {sent !== undefined && <Button variant="default" onClick={() => running.current?.()}>Stop the upload</Button>}
        </div>
      </div>
    </Card>
  )
}

/** Checked is what a check of every row has found so far. */
function Checked({ id }: { id: string }): ReactNode {
  const format = useFormat()
  const item = useQuery({
    queryKey: importKey(id), queryFn: ({ signal }) => fetchImport(id, signal),
    refetchInterval: (query) => (query.state.data === undefined || isActive(query.state.data.state) ? 700 : false),
  })
  if (item.data === undefined) return item.isError ? <Failed what="The check" error={item.error} retry={() => void item.refetch()} /> : <Waiting rows={2} label="The check" />
  const { data } = item
  return (
    <div className={css['stack']} role="status">
      <p><StateTag state={data.state} /> <Link to="/imports/$id" params={{ id }}>{isActive(data.state) ? 'Checking' : 'Checked'} {format.whole(data.rowsRead)} rows</Link>: {format.whole(data.created)} would be created, {format.whole(data.updated)} updated, {format.whole(data.unchanged)} unchanged, <span className={data.refused > 0 ? 'bad' : ''}>{format.whole(data.refused)} refused</span>.</p>
      {data.error !== '' && <p className={css['error']} role="alert">{data.error}</p>}
      {data.refused > 0 && <p><a href={address(`/imports/${encodeURIComponent(id)}/refused.csv`)} download>Download the refused rows</a></p>}
    </div>
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
