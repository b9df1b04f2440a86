import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The development server passes the API through to a running program: CANOPY_API=http://127.0.0.1:8080 npm run dev.
const api = process.env['CANOPY_API'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': api } },
  build: {
    target: 'es2023',
    // The content security policy allows no data: scripts; small files stay files, so that they are cached for good.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
  },
})
