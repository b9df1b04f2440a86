// Serves dist and a made-up company over the program's API, for building and looking at the screens without the program:
//   npm run build && npm run mock      (http://127.0.0.1:8090, admin@canopy.local / canopy)
// It answers in the program's shapes and keeps what is written until it ends. It is no part of the program.
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { api } from './api.mjs'

const dist = new URL('../dist/', import.meta.url).pathname
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }
const csp = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

function serveFile(path, response) {
  let file = join(dist, normalize(path).replace(/^(\.\.[/\\])+/, ''))
  if (!existsSync(file) || statSync(file).isDirectory()) {
    if (path.includes('.')) return response.writeHead(404).end()
    file = join(dist, 'index.html')
  }
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': csp,
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  })
  createReadStream(file).pipe(response)
}

export function start({ port = 0, password = 'canopy' } = {}) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock')
    if (!url.pathname.startsWith('/api/')) return serveFile(decodeURIComponent(url.pathname), response)
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => api(request, response, url, Buffer.concat(chunks), password))
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({ server, url: `http://127.0.0.1:${server.address().port}` })))
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { url } = await start({ port: Number(process.env.PORT ?? 8090) })
  console.log(`mock of Canopy at ${url} (admin@canopy.local / canopy)`)
}
