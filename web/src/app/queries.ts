import { QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { fetchObjects, type ObjectInfo, objectsKey } from '../api/objects'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A failed card says so and offers "Try again"; silent retries would only hide the wait.
      retry: false,
      staleTime: 15_000,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
})

/** useObjects gives the registry of objects; it changes rarely. */
export function useObjects(): UseQueryResult<ObjectInfo[]> {
  return useQuery({ queryKey: objectsKey, queryFn: ({ signal }) => fetchObjects(signal), staleTime: 300_000 })
}
