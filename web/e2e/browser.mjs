// What every browser test needs: a browser, a signed-in page, and an ear for what a page complains about.
// The tests run against the program at CANOPY_E2E_URL with the administrator's CANOPY_E2E_PASSWORD, or, where no address
// is given, against the mock over dist.
import assert from 'node:assert/strict'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import { start } from '../mock/server.mjs'

export const email = 'admin@canopy.local'
export const password = process.env.CANOPY_E2E_PASSWORD ?? 'canopy'

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

let opened

/** open gives the browser and the address; both are shared by the tests of one file. */
export async function open() {
  opened ??= (async () => {
    const given = process.env.CANOPY_E2E_URL
    const mock = given ? undefined : await start({ password })
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })
    return { browser, mock, url: (given ?? mock.url).replace(/\/$/, '') }
  })()
  return opened
}

export async function close() {
  const { browser, mock } = await open()
  await browser.close()
  mock?.server.close()
  mock?.server.closeAllConnections()
}

let state

/** signedIn gives a fresh page of a signed-in administrator. `t.after` closes it, and a page that complained fails its test. */
export async function signedIn(t, { width = 1440, height = 1000, scheme = 'light', allow = [] } = {}) {
  const { browser, url } = await open()
  if (state === undefined) {
    const context = await browser.newContext({ baseURL: url })
    const answer = await context.request.post('/api/v1/session', { data: { email, password }, headers: { origin: url } })
    assert.equal(answer.status(), 200, `sign in: ${await answer.text()}`)
    state = await context.storageState()
    await context.close()
  }
  const context = await browser.newContext({ baseURL: url, viewport: { width, height }, colorScheme: scheme, storageState: state, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const complaints = listen(page, allow)
  t.after(async () => {
    await context.close()
    assert.deepEqual(complaints, [], 'the console stays empty')
  })
  return page
}

/** listen gathers errors and warnings of the console, broken policies included. */
export function listen(page, allow = []) {
  const complaints = []
  const add = (text) => {
    if (!allow.some((pattern) => pattern.test(text))) complaints.push(text)
  }
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') add(`${message.type()}: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => add(`page: ${error.stack ?? error}`))
  return complaints
}

/** axe finds nothing against WCAG 2.2 AA. */
export async function clean(page, what) {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join(' | ')}`), [], `axe on ${what}`)
}

/** sideways is by how much the page can be scrolled to the side; it should be nothing. */
export function sideways(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** api calls the API as the signed-in page does. */
export async function api(page, method, path, data, headers = {}) {
  const { url } = await open()
  const answer = await page.context().request.fetch(`/api/v1${path}`, { method, data, headers: { origin: url, ...headers } })
  const text = await answer.text()
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

let counter = 0
/** newDeal makes a deal of one's own, so that tests do not stand on each other's toes. It meets what the demonstration company's stages ask for. */
export async function newDeal(page, fields = {}) {
  const pipelines = await api(page, 'GET', '/records/pipeline?limit=1')
  const pipeline = pipelines.items[0].id
  const stages = await stagesOf(page, pipeline)
  const first = stages.find((stage) => stage.fields.status === 'open')
  counter++
  return api(page, 'POST', '/records/deal', { fields: { name: `Browser test ${process.pid}-${Date.now()}-${counter}`, pipeline, stage: first.id, amount: { amount: '1200.00', currency: 'USD' }, need: 'yes', budget: 'yes', expected_close_on: '2029-12-31', ...fields } })
}

export async function stagesOf(page, pipeline) {
  const filter = encodeURIComponent(JSON.stringify({ field: 'pipeline', op: 'eq', value: pipeline }))
  const { items } = await api(page, 'GET', `/records/stage?limit=100&filter=${filter}`)
  return items.sort((a, b) => a.fields.rank - b.fields.rank)
}
