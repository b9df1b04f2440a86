import { useQueries, useQuery } from '@tanstack/react-query'
import { fetchRecord, fetchRecords, type Rec, recordKey, recordsKey } from '../../api/records'
import type { ObjectInfo } from '../../api/objects'
import type { Predicate } from '../../api/predicate'
import { objectOf, titleOf } from './names'

/** useTitles names records by id; ids that are not known yet are missing from the answer. */
export function useTitles(ids: string[], objects: ObjectInfo[]): (id: string) => string | undefined {
  const wanted = [...new Set(ids)].filter((id) => objects.some((object) => object.name === objectOf(id)))
  const found = useQueries({
    queries: wanted.map((id) => ({ queryKey: recordKey(objectOf(id), id), queryFn: ({ signal }: { signal: AbortSignal }) => fetchRecord(objectOf(id), id, signal), staleTime: 300_000 })),
  })
  return (id) => {
    const record = found[wanted.indexOf(id)]?.data
    const object = objects.find((each) => each.name === objectOf(id))
    return record === undefined || object === undefined ? undefined : titleOf(object, record)
  }
}

/** How many records a short list holds at most. */
export const smallList = 200

/** useSmallList reads a short list whole: pipelines, stages, teams. */
export function useSmallList(object: string, filter: Predicate | null, enabled = true): { items: Rec[]; error: Error | null; pending: boolean } {
  const query = { filter, sort: '', limit: smallList }
  const { data, error, isPending } = useQuery({ queryKey: recordsKey(object, query), queryFn: ({ signal }) => fetchRecords(object, query, signal), enabled, staleTime: 300_000 })
  return { items: data?.items ?? [], error, pending: isPending && enabled }
}

/** byRank puts stages in their order. */
export function byRank(stages: Rec[]): Rec[] {
  return [...stages].sort((a, b) => Number(a.fields['rank'] ?? 0) - Number(b.fields['rank'] ?? 0))
}
