// Starts the built program as production runs it, on a free port with a fresh data directory, and gives it to the browser tests of web/.
//
//   node scripts/e2e.mjs            with the demonstration company; and with the imported reference set where that is there
//   node scripts/e2e.mjs demo       one of the two: demo, crm_sales_opportunities
//
// The tests get CANOPY_E2E_URL, CANOPY_E2E_PASSWORD, CANOPY_E2E_SET and CHROMIUM (the browser; given, it is the one). With CANOPY_REQUIRE=all nothing may be missing.
// CANOPY_E2E_KEEP=1 keeps the data directories. A failed run keeps its own and says where it is, with the program's log in it.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const canopy = join(root, 'bin', 'canopy')
const requireAll = process.env.CANOPY_REQUIRE === 'all'
const email = 'admin@canopy.local'
/** The demonstration company of the tests: small enough to be there soon, dense enough for a week to say something. */
const demo = ['--demo', '--demo-contacts', '1200', '--demo-weeks', '60']
const startWithin = 300_000 // ms; the demonstration company is written before it is ready, and machines differ
const importWithin = 600_000

/** What could not run: a failure where everything is required, a line at the end elsewhere. */
const notRun = []
function lacks(what, remedy) {
  const line = `NOT RUN: ${what} (${remedy})`
  if (requireAll) throw new Error(line)
  notRun.push(line)
}

/** The system's browser, found as models/require does. */
function browser() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // not here
      }
    }
  return null
}

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

/** Runs a program to its end; its output goes to ours. Rejects unless it ends with 0. */
function run(program, args, options = {}) {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options })
    child.once('error', failed)
    child.once('exit', (code, signal) => (code === 0 ? done() : failed(new Error(`${[program, ...args].join(' ')} ended with ${signal ?? code}`))))
  })
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Starts a server on a directory and waits until it is ready. */
async function serve(folder, args) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const password = randomBytes(18).toString('base64url')
  const logFile = join(folder, 'server.log')
  const log = createWriteStream(logFile)
  await new Promise((done) => log.once('open', done))
  // The password travels in the environment: no process list shows it, and the file of the log is in a directory of ours.
  const child = spawn(canopy, ['serve', '--data', join(folder, 'data'), '--listen', `127.0.0.1:${port}`, '--count-patience', '1m', ...args], {
    cwd: root, stdio: ['ignore', log, log], env: { ...process.env, CANOPY_ADMIN_PASSWORD: password },
  })
  let ended = null
  const exit = new Promise((done) => child.once('exit', (code, signal) => done((ended = signal ?? code ?? 'an error'))))
  child.once('error', (error) => (ended = error.message))
  servers.add(child)
  const stop = async () => {
    servers.delete(child)
    if (ended !== null) return ended
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const how = await exit
    clearTimeout(late)
    return how
  }
  const until = Date.now() + startWithin
  for (;;) {
    const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then((r) => r.ok, () => false)
    if (ready && ended === null) return { url, password, port, data: join(folder, 'data'), stop }
    if (ended !== null || Date.now() > until) {
      await stop()
      throw new Error(`canopy serve ${ended !== null ? `ended with ${ended}` : 'is not ready'}\n${readFileSync(logFile, 'utf8').slice(-4000)}`)
    }
    await pause(100)
  }
}

const servers = new Set()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of servers) child.kill('SIGTERM')
    process.exit(130)
  })

/** Imports the reference set as its example says, through the running server. */
async function importReferenceSet(server, source) {
  const examples = join(root, 'examples', 'crm_sales_opportunities')
  const order = ['accounts', 'products', 'sales_teams', 'sales_pipeline'] // what is referred to comes first
  const maps = readdirSync(examples)
  for (const name of order) {
    const map = maps.find((file) => file.startsWith(name) && /\.(ya?ml|json)$/.test(file))
    if (!map) throw new Error(`examples/crm_sales_opportunities has no mapping for ${name}.csv`)
    const refused = join(server.data, '..', `${name}.refused.csv`) // beside the file is not ours to write
    await run(canopy, ['import', join(source, `${name}.csv`), '--map', join(examples, map), '--refused', refused, '--data', server.data], { cwd: root, timeout: importWithin })
  }
}

/** Waits until all changes are in the warehouse, so that trees are complete. */
async function caughtUp({ url, password }) {
  const login = await fetch(`${url}/api/v1/session`, {
    method: 'POST', headers: { 'content-type': 'application/json', origin: url }, body: JSON.stringify({ email, password }),
  })
  if (!login.ok) throw new Error(`sign in: ${login.status} ${await login.text()}`)
  const cookie = login.headers.getSetCookie().map((c) => c.split(';', 1)[0]).join('; ')
  const until = Date.now() + startWithin
  for (;;) {
    const response = await fetch(`${url}/api/v1/relay`, { headers: { cookie } })
    if (!response.ok) throw new Error(`ask the relay: ${response.status} ${await response.text()}`)
    const relay = await response.json()
    if (relay.position === relay.head) return
    if (Date.now() > until) throw new Error(`the relay does not catch up: ${JSON.stringify(relay)}`)
    await pause(100)
  }
}

/** On the reference set only the pages that read its past differ from the demonstration company. */
const ofReferenceSet = ['e2e/review.test.mjs', 'e2e/deals.test.mjs']

async function scenario(set, program, source) {
  const folder = mkdtempSync(join(tmpdir(), `canopy-e2e-${set}-`))
  console.log(`\n== browser tests: ${set}`)
  try {
    const server = await serve(folder, set === 'demo' ? demo : [])
    let how
    try {
      if (source) await importReferenceSet(server, source)
      await caughtUp(server)
      const web = join(root, 'web')
      const files = source ? ofReferenceSet : readdirSync(join(web, 'e2e')).filter((name) => name.endsWith('.test.mjs')).map((name) => `e2e/${name}`)
      await run(process.execPath, ['--test', '--test-concurrency=1', ...files], {
        cwd: web,
        env: { ...process.env, CANOPY_E2E_URL: server.url, CANOPY_E2E_PASSWORD: server.password, CANOPY_E2E_SET: set, CHROMIUM: program },
      })
    } finally {
      how = await server.stop()
    }
    if (how !== 0) throw new Error(`canopy serve ended with ${how} after SIGTERM`)
    if (process.env.CANOPY_E2E_KEEP) console.log(`kept: ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
    return true
  } catch (error) {
    console.error(`FAIL: browser tests (${set}): ${error.message}\nkept: ${folder}`)
    return false
  }
}

async function main() {
  const only = process.argv.slice(2)
  const wanted = (set) => only.length === 0 || only.includes(set)
  if (!existsSync(canopy)) throw new Error('there is no bin/canopy: make build')
  const program = browser()
  if (!program) return lacks('browser tests', 'there is no Chromium: apt-get install chromium')
  let passed = true
  if (wanted('demo')) passed = await scenario('demo', program)
  if (wanted('crm_sales_opportunities')) {
    const source = resolve(process.env.CANOPY_SHARED_DATA ?? join(root, '..', 'shared', 'data'), 'crm_sales_opportunities')
    if (!existsSync(source)) lacks('browser tests with the reference set', 'set CANOPY_SHARED_DATA to the directory of the shared data sets')
    else passed = (await scenario('crm_sales_opportunities', program, source)) && passed
  }
  if (!passed) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  console.error(`FAIL: ${error.message}`)
  process.exitCode = 1
}
for (const line of notRun) console.log(line)
