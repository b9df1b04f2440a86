import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { mayWrite } from '../../api/me'
import { fieldOf, type ObjectInfo } from '../../api/objects'
import { explain } from '../../api/problem'
import { fetchRecords, patchRecord, type Rec, recordsKey } from '../../api/records'
import { useObjects } from '../../app/queries'
import { useFormat, useSession } from '../../app/session'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { tell, tellFailure } from '../../kit/tell'
import shared from '../imports/Page.module.css'
import { recordPath } from '../records/names'
import { changesOf, type Draft, draftOf, simulate, type Simulation } from './contract'

const query = { filter: null, sort: 'rank', limit: 200 }

/** AssignmentPage asks: who would get the next leads, and is that right? A draft is tried on real leads before it is put in force. */
export function AssignmentPage(): ReactNode {
  const { me } = useSession()
  const writable = mayWrite(me, 'administrator')
  const object = useObjects().data?.find((each) => each.name === 'assignment_rule')
  const rules = useQuery({ queryKey: recordsKey('assignment_rule', query), queryFn: ({ signal }) => fetchRecords('assignment_rule', query, signal) })
  return (
    <>
      <PageHead title="Assignment" scope="Rules are asked in order; the first one that fits and has somebody free decides">
        <Button component={Link} size="xs" variant="default" to="/records/territory">Territories</Button>
        <Button component={Link} size="xs" variant="default" to="/records/calendar">Calendars</Button>
        {writable && <Button component={Link} size="xs" to="/records/assignment_rule/new">New rule</Button>}
      </PageHead>
      {rules.data === undefined || object === undefined
        ? <Card title="Rules">{rules.isError ? <Failed what="The rules" error={rules.error} retry={() => void rules.refetch()} /> : <Waiting label="The rules" />}</Card>
        : rules.data.items.length === 0
          ? <Card title="Rules"><Empty title="There is no rule yet">New leads wait until somebody takes them. People are considered who have “Takes leads” set.</Empty></Card>
          : <Rules key={rules.data.items.map((rule) => `${rule.id}.${rule.version}`).join(' ')} rules={rules.data.items} object={object} writable={writable} />}
    </>
  )
}

function Rules({ rules, object, writable }: { rules: Rec[]; object: ObjectInfo; writable: boolean }): ReactNode {
  const client = useQueryClient()
  const [drafts, setDrafts] = useState<Draft[]>(() => rules.map(draftOf))
  const [days, setDays] = useState('30')
  const change = (i: number, part: Partial<Draft>): void => setDrafts(drafts.map((draft, n) => (n === i ? { ...draft, ...part } : draft)))
  const move = (i: number, by: number): void => {
    const next = [...drafts]
    const [draft] = next.splice(i, 1)
    if (draft !== undefined) next.splice(i + by, 0, draft)
    setDrafts(next)
  }
  const changed = drafts.filter((draft, i) => Object.keys(changesOf(draft, i + 1)).length > 0)
  const methods = fieldOf(object, 'method')?.options ?? []
  const trial = useMutation({ mutationFn: () => simulate(drafts, Number(days)) })
  const save = useMutation({
    mutationFn: async () => {
      for (const [i, draft] of drafts.entries()) {
        const fields = changesOf(draft, i + 1)
        if (Object.keys(fields).length > 0) await patchRecord(draft.rule, fields, { happenedAt: null })
      }
    },
    onSuccess: () => tell('The rules are in force'),
    onError: (error) => tellFailure('Not all of the rules were changed', error),
    onSettled: () => client.invalidateQueries({ queryKey: ['records', 'assignment_rule'] }),
  })
  return (
    <div className={shared['stack']}>
      <Card title="Rules" aside={changed.length === 0 ? 'as they are in force' : `a draft: ${changed.length} changed`} flush>
        <div className={shared['scroll']} role="group" aria-label="Rules in order" tabIndex={0}>
          <table className={shared['table']}>
            <thead><tr><th scope="col">Rule</th><th scope="col">Asked</th><th scope="col">Chooses</th><th scope="col">Most open leads</th><th scope="col">Looks at</th>{writable && <th scope="col">Order</th>}</tr></thead>
            <tbody>
              {drafts.map((draft, i) => (
                <tr key={draft.rule.id}>
                  <th scope="row">{i + 1}. <Link to={recordPath('assignment_rule', draft.rule.id)}>{String(draft.rule.fields['name'])}</Link></th>
                  <td><Checkbox size="xs" aria-label={`Ask ${String(draft.rule.fields['name'])}`} checked={draft.active} disabled={!writable} onChange={(event) => change(i, { active: event.currentTarget.checked })} /></td>
                  <td><NativeSelect size="xs" aria-label={`How ${String(draft.rule.fields['name'])} chooses`} value={draft.method} disabled={!writable} data={methods.map(({ value, label }) => ({ value, label }))} onChange={(event) => change(i, { method: event.currentTarget.value })} /></td>
                  <td><TextInput size="xs" w={80} inputMode="numeric" aria-label={`Most open leads under ${String(draft.rule.fields['name'])}`} value={draft.maxOpen} disabled={!writable} onChange={(event) => change(i, { maxOpen: event.currentTarget.value.replace(/\D/g, '') })} /></td>
                  <td>{looksAt(draft.rule)}</td>
                  {writable && (
                    <td>
                      <Button size="compact-xs" variant="default" disabled={i === 0} aria-label={`Ask ${String(draft.rule.fields['name'])} earlier`} onClick={() => move(i, -1)}>↑</Button>{' '}
                      <Button size="compact-xs" variant="default" disabled={i === drafts.length - 1} aria-label={`Ask ${String(draft.rule.fields['name'])} later`} onClick={() => move(i, 1)}>↓</Button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {writable && (
          <form style={{ display: 'flex', flexWrap: 'wrap', gap: 10, alignItems: 'end', padding: '12px 14px' }} onSubmit={(event) => {
            event.preventDefault()
            trial.mutate()
          }}>
            <NativeSelect size="xs" label="On the leads of the last" value={days} data={[['7', '7 days'], ['30', '30 days'], ['90', '90 days'], ['365', '365 days']].map(([value = '', label = '']) => ({ value, label }))} onChange={(event) => setDays(event.currentTarget.value)} />
            <Button size="xs" type="submit" loading={trial.isPending}>Try it</Button>
            <Button size="xs" variant="default" disabled={changed.length === 0} loading={save.isPending} onClick={() => save.mutate()}>Put in force</Button>
            {changed.length > 0 && <Button size="xs" variant="subtle" onClick={() => setDrafts(rules.map(draftOf))}>Drop the draft</Button>}
          </form>
        )}
        {trial.isError && <p role="alert" className={shared['error']}>{explain(trial.error).message} {explain(trial.error).remedy}</p>}
      </Card>
      {trial.data !== undefined && <Result result={trial.data} days={days} />}
    </div>
  )
}

function looksAt(rule: Rec): string {
  const parts = [
    rule.fields['conditions'] !== null && rule.fields['conditions'] !== undefined ? 'a condition' : '', rule.titles['candidates'] ?? '', rule.titles['person'] ?? '',
    rule.fields['by_territory'] === true ? 'territory' : '', rule.fields['by_language'] === true ? 'language' : '', rule.fields['by_expertise'] === true ? 'expertise' : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'everybody who takes leads' : parts.join(', ')
}

function Result({ result, days }: { result: Simulation; days: string }): ReactNode {
  const format = useFormat()
  const facts: [string, number][] = [['Leads', result.leads], ['Same person as now', result.same], ['Nobody free', result.nobody]]
  return (
    <Card title="What the draft would have done" aside={`active leads of the last ${days} days${result.capped ? ', the latest of them' : ''}; nothing was written`} flush>
      <div role="status" style={{ padding: '12px 14px' }}>
        <dl className={shared['counts']}>{facts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd className="num">{format.whole(value)}</dd></div>)}</dl>
      </div>
      {result.leads === 0
        ? <Empty title="No lead came in that time">Choose more days.</Empty>
        : (
          <>
            <div className={shared['scroll']} role="group" aria-label="Load by person" tabIndex={0}>
              <table className={shared['table']}>
                <thead><tr><th scope="col">Person</th><th scope="col" className={shared['right']}>Would get</th><th scope="col" className={shared['right']}>Has</th><th scope="col" className={shared['right']}>Most open at once</th></tr></thead>
                <tbody>{result.people.map((one) => <tr key={one.id}><th scope="row">{one.name === '' ? one.id : one.name}</th>{[one.would, one.did, one.mostOpen].map((n, i) => <td key={i} className={`${shared['right']} num`}>{format.whole(n)}</td>)}</tr>)}</tbody>
              </table>
            </div>
            <div className={shared['scroll']} role="group" aria-label="Leads of the simulation" tabIndex={0} style={{ maxHeight: 420, overflowY: 'auto' }}>
              <table className={shared['table']}>
                <thead><tr><th scope="col">Lead</th><th scope="col">Came</th><th scope="col">Would go to</th><th scope="col">Has it</th><th scope="col">Why</th></tr></thead>
                <tbody>
                  {result.rows.map((row) => (
                    <tr key={row.id}>
                      <th scope="row"><Link to={recordPath('lead', row.id)}>{row.title}</Link></th><td>{format.instant(row.at)}</td><td>{row.would === '' ? 'nobody' : row.would}</td><td>{row.has === '' ? 'nobody' : row.has}</td>
                      <td>{row.reason}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      <ul className={shared['hint']}>{result.notes.map((note) => <li key={note}>{note}</li>)}</ul>
    </Card>
  )
}
