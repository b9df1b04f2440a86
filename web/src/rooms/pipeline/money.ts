import { useCallback } from 'react'
import { useFormat } from '../../app/session'
import type { Money } from '../../format/format'

/** useSums writes sums by currency: "$340K", "$340K + €12,000.00". None is blank. */
export function useSums(): (sums: Money[]) => string {
  const format = useFormat()
  return useCallback((sums) => sums.map((sum) => (sum.currency === format.place.currency ? format.short('money', Number(sum.amount)) : format.money(sum))).join(' + '), [format])
}
