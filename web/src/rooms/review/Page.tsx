import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { IconCheck, IconChevronLeft, IconChevronRight, IconLink } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useKeys } from '../../app/keys'
import type { ReviewSearch } from '../../app/search'
import { useFormat } from '../../app/session'
import { addDays, dayIn, type Format } from '../../format/format'
import { Card } from '../../kit/Card'
import { PageHead } from '../../kit/PageHead'
import { Empty, Failed, Waiting } from '../../kit/states'
import { type Compare, compares, fetchTree, fetchTrees, fetchWeeks, type Tree, type TreeName, treeKey, treesKey, type WeekValue, weeksKey } from './contract'
import { compareWords } from './Lede'
import css from './Page.module.css'
import { ReviewView } from './View'

/** ReviewPage asks: what moved the north star this week, by how much, whose is it? */
export function ReviewPage(): ReactNode {
  const search = useSearch({ from: '/app/review' })
  const navigate = useNavigate({ from: '/review' })
  const format = useFormat()
  const trees = useQuery({ queryKey: treesKey, queryFn: ({ signal }) => fetchTrees(signal), staleTime: 300_000 })
  const name = trees.data?.find((each) => each.name === search.tree) ?? trees.data?.[0]
  const weeks = useQuery({ queryKey: weeksKey(name?.name ?? ''), queryFn: ({ signal }) => fetchWeeks(name?.name ?? '', signal), enabled: name !== undefined })
  const weekOf = search.week ?? opening(weeks.data ?? [], format)
  const query = { tree: name?.name ?? '', weekOf: weekOf ?? '', compare: search.compare ?? 'previous', split: search.split ?? name?.splits[0]?.name ?? '' }
  const tree = useQuery({
    queryKey: treeKey(query), queryFn: ({ signal }) => fetchTree(query, signal), enabled: name !== undefined && weekOf !== undefined, placeholderData: keepPreviousData,
  })

  // A new week, comparison or split is a step that Back undoes; a selected or folded node is not.
  const step = (change: Partial<ReviewSearch>): void => void navigate({ search: (old) => ({ ...old, ...change }), resetScroll: false })
  const mark = (change: Partial<ReviewSearch>): void => void navigate({ search: (old) => ({ ...old, ...change }), resetScroll: false, replace: true })
  const fold = search.fold ?? []

  const failed = trees.error ?? weeks.error ?? tree.error
  const retry = (): void => {
    if (trees.isError) void trees.refetch()
    else if (weeks.isError) void weeks.refetch()
    else void tree.refetch()
  }
  return (
    <>
      <PageHead title="Weekly review" scope={tree.data === undefined ? ' ' : <Scope tree={tree.data} failed={tree.isError} />}>
        <WeekStepper weeks={weeks.data ?? []} weekOf={weekOf} onWeek={(week) => step({ week })} />
        {trees.data !== undefined && trees.data.length > 1 && (
          <NativeSelect size="xs" aria-label="Tree" value={name?.name} data={trees.data.map(({ name: value, label }) => ({ value, label }))} onChange={(event) => void navigate({ search: { tree: event.currentTarget.value } })} />
        )}
        <Choices name={name} compare={query.compare} split={query.split} step={step} />
        <CopyLink weekOf={weekOf} />
      </PageHead>
      {tree.data !== undefined && tree.data.nodes.length > 0
        ? (
          <ReviewView tree={tree.data} node={search.node ?? ''} folded={new Set(fold)} stale={tree.isPlaceholderData}
            onNode={(node) => mark({ node })}
            onFold={(id, on) => {
              const rest = fold.filter((each) => each !== id)
              const next = on ? [...rest, id] : rest
              void navigate({
                search: ({ fold: _, ...old }) => (next.length === 0 ? old : { ...old, fold: next }), replace: true, resetScroll: false,
              })
            }} />
        )
        : failed !== null
          ? <Card title="What drives the week"><Failed what="The weekly review" error={failed} retry={retry} /></Card>
          : trees.data?.length === 0 || weeks.data?.length === 0 || tree.data?.nodes.length === 0
            ? <Card title="What drives the week"><Empty title="There are no numbers yet" action={<Link to="/imports">Import deals</Link>}>The review starts with the first deal that is won or lost.</Empty></Card>
            : <Card title="What drives the week"><Waiting rows={5} height={76} label="The weekly review" /></Card>}
      {tree.data !== undefined && tree.isError && <Card title="This week"><Failed what="This week" error={tree.error} retry={retry} /></Card>}
    </>
  )
}

/**
 * opening is the week that the page opens with: the newest that has ended on the workspace's clock, or the newest at all. Where nothing was won
 * in the quarter up to it, as when a past was imported, it is the newest week in which something was.
 */
function opening(weeks: WeekValue[], format: Format): string | undefined {
  const today = dayIn(format.place.zone, new Date())
  const last = weeks.findLastIndex((each) => addDays(each.weekOf, 7) <= today)
  const at = last >= 0 ? last : weeks.length - 1
  const won = (each: WeekValue): boolean => each.value !== null && each.value !== 0
  if (weeks.slice(Math.max(0, at - 12), at + 1).some(won)) return weeks[at]?.weekOf
  return (weeks.slice(0, at + 1).findLast(won) ?? weeks[at])?.weekOf
}

function Scope({ tree, failed }: { tree: Tree; failed: boolean }): ReactNode {
  const format = useFormat()
  const before = tree.compare.kind === 'target' ? 'target' : format.week(tree.compare.weekOf)
  return (
    <>
      {format.week(tree.week.of)} compared with {before} · {tree.week.complete ? 'complete' : <span className={css['watch']}>so far, {tree.week.daysElapsed} of 7 days</span>}
      {' · '}{tree.zone.split('/').pop()?.replaceAll('_', ' ')} · {tree.currency} · <span className={failed || tree.provisional ? css['watch'] : undefined}>as of {format.moment(tree.asOf.toldAt)}</span>
    </>
  )
}

function WeekStepper({ weeks, weekOf, onWeek }: { weeks: WeekValue[]; weekOf: string | undefined; onWeek: (week: string) => void }): ReactNode {
  const format = useFormat()
  const at = weeks.findIndex((each) => each.weekOf === weekOf)
  const before = at > 0 ? weeks[at - 1]?.weekOf : undefined
  const after = at >= 0 ? weeks[at + 1]?.weekOf : undefined
  useKeys({
    '[': () => before !== undefined && onWeek(before),
    ']': () => after !== undefined && onWeek(after),
  })
  if (weekOf === undefined) return null
  const listed = at >= 0 ? weeks : [...weeks, { weekOf, value: null }]
  return (
    <div className={css['stepper']} role="group" aria-label="Week">
      <ActionIcon variant="default" size={30} aria-label="Previous week" disabled={before === undefined} onClick={() => before !== undefined && onWeek(before)}><IconChevronLeft size={16} /></ActionIcon>
      <NativeSelect size="xs" aria-label="Week shown" value={weekOf} data={[...listed].reverse().map((each) => ({ value: each.weekOf, label: format.week(each.weekOf) }))}
        onChange={(event) => onWeek(event.currentTarget.value)} />
      <ActionIcon variant="default" size={30} aria-label="Next week" disabled={after === undefined} onClick={() => after !== undefined && onWeek(after)}><IconChevronRight size={16} /></ActionIcon>
    </div>
  )
}

function Choices({ name, compare, split, step }: { name: TreeName | undefined; compare: Compare; split: string; step: (change: Partial<ReviewSearch>) => void }): ReactNode {
  return (
    <>
      {name !== undefined && name.splits.length > 1 && (
        <NativeSelect size="xs" aria-label="Split by" value={split} data={name.splits.map((each) => ({ value: each.name, label: `by ${each.label.toLowerCase()}` }))} onChange={(event) => step({ split: event.currentTarget.value })} />
      )}
      <NativeSelect size="xs" aria-label="Compare with" value={compare} data={compares.map((value) => ({ value, label: compareWords[value].option }))}
        onChange={(event) => {
          const chosen = compares.find((each) => each === event.currentTarget.value)
          if (chosen !== undefined) step({ compare: chosen })
        }} />
    </>
  )
}

/** CopyLink copies an address that gives this view again, with the week written out even where it is today's default. */
function CopyLink({ weekOf }: { weekOf: string | undefined }): ReactNode {
  const [state, setState] = useState<'ready' | 'done' | 'refused'>('ready')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const copy = async (): Promise<void> => {
    const url = new URL(window.location.href)
    if (weekOf !== undefined) url.searchParams.set('week', weekOf)
    try {
      await navigator.clipboard.writeText(url.href)
      setState('done')
    } catch {
      setState('refused')
    }
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setState('ready'), 3000)
  }
  const words = { ready: 'Copy link', done: 'Copied', refused: 'Copy it from the address bar' }
  return <Button size="xs" variant="default" leftSection={state === 'done' ? <IconCheck size={15} /> : <IconLink size={15} />} onClick={() => void copy()} aria-live="polite">{words[state]}</Button>
}
