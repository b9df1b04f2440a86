// Bundles every src/**/*.test.ts with esbuild (node 20 cannot read TypeScript) and gives the result to `node --test`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
const tests = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => /\.test\.ts$/.test(name))
  .map((name) => join(root, 'src', name))
const out = mkdtempSync(join(tmpdir(), 'canopy-unit-'))
let status = 1
try {
  const { metafile } = await build({
    entryPoints: tests, bundle: true, platform: 'node', format: 'esm', outdir: out, outExtension: { '.js': '.mjs' },
    sourcemap: 'inline', metafile: true, outbase: join(root, 'src'), absWorkingDir: root, jsx: 'automatic',
  })
  const files = Object.keys(metafile.outputs).filter((name) => name.endsWith('.test.mjs')).map((name) => join(root, name))
  status = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(out, { recursive: true, force: true })
}
process.exit(status)
