// Writes a .br and a .gz beside every compressible file of dist, so that the program never compresses at run time,
// and puts back .gitkeep, which lets `go build` work in a fresh clone.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const brotli = promisify(brotliCompress)
const zip = promisify(gzip)
const dist = new URL('../dist/', import.meta.url).pathname
const compressible = /\.(js|css|html|svg|json|txt|webmanifest)$/

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !compressible.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const plain = await readFile(path)
  const [br, gz] = await Promise.all([
    brotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }),
    zip(plain, { level: 9 }),
  ])
  // A variant that saves nothing would only cost room in the binary.
  if (br.length < plain.length) await writeFile(`${path}.br`, br)
  if (gz.length < plain.length) await writeFile(`${path}.gz`, gz)
}
await writeFile(join(dist, '.gitkeep'), '')
