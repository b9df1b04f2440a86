import type { ReactNode } from 'react'
import { Link } from '@tanstack/react-router'

export function NotFound(): ReactNode {
  return (
    <main style={{ padding: 32, display: 'grid', gap: 12 }}>
      <h1>There is no such page</h1>
      <p>The address may be from an older version. <Link to="/review">Go to the weekly review</Link></p>
    </main>
  )
}
