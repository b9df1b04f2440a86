// The lists in the query cache, changed by hand where a whole refetch would be waste: a list may hold many pages.
import type { InfiniteData, QueryClient } from '@tanstack/react-query'
import type { Rec, RecordPage } from '../../api/records'

type Cached = RecordPage | InfiniteData<RecordPage> | undefined

/** putInLists replaces a record wherever a list holds it. Order and filters are left to the next fetch. */
export function putInLists(client: QueryClient, record: Rec): void {
  const page = (old: RecordPage): RecordPage => (old.items.some((each) => each.id === record.id) ? { ...old, items: old.items.map((each) => (each.id === record.id ? record : each)) } : old)
  client.setQueriesData<Cached>({ queryKey: ['records', record.object] }, (old) => {
    if (old === undefined) return old
    return 'pages' in old ? { ...old, pages: old.pages.map(page) } : page(old)
  })
}
