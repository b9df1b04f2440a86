// How every page holds itself: accessible in light and dark, never wider than the screen, quiet in the console, small on the wire.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { clean, close, newDeal, open, sideways, signedIn } from './browser.mjs'

after(close)

let deal
async function pages(page) {
  deal ??= await newDeal(page, { next_step: 'Send the offer' })
  return {
    review: ['/review', (p) => p.getByRole('tree').waitFor()],
    deals: ['/deals', (p) => p.getByRole('grid', { name: 'Deals' }).waitFor()],
    deal: [`/deals/${deal.id}`, (p) => p.getByText('Send the offer').first().waitFor()],
    today: ['/today', (p) => p.getByRole('heading', { name: 'Things that changed' }).waitFor()],
    'my tasks': ['/tasks', (p) => p.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor()],
    'new account': ['/records/account/new', (p) => p.getByRole('button', { name: 'Create account' }).waitFor()],
    'new deal': ['/deals/new', (p) => p.getByRole('button', { name: 'Create deal' }).waitFor()],
    accounts: ['/records/account', (p) => p.getByRole('heading', { name: 'Accounts', level: 1 }).waitFor()],
    tasks: ['/records/task', (p) => p.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor()],
    pipeline: ['/pipeline', (p) => p.locator('[data-card]').first().waitFor()],
    'deals without life': ['/pipeline/stale', (p) => p.getByRole('heading', { name: 'Due today' }).waitFor()],
    'pipelines and stages': ['/admin/stages', (p) => p.getByRole('heading', { name: 'Deals in which nothing happens' }).waitFor()],
    leads: ['/leads', (p) => p.getByRole('button', { name: /^To accept \(/ }).waitFor()],
    handoffs: ['/handoffs', (p) => p.getByRole('heading', { name: /^Breaches/ }).waitFor()],
    forms: ['/admin/forms', (p) => p.getByRole('heading', { name: 'Forms', level: 1 }).waitFor()],
    assignment: ['/admin/assignment', (p) => p.getByRole('heading', { name: 'Rules' }).waitFor()],
    imports: ['/imports', (p) => p.getByRole('heading', { name: 'Earlier imports' }).waitFor()],
    fields: ['/admin/fields?object=account', (p) => p.getByRole('group', { name: 'Fields of Account' }).waitFor()],
    jobs: ['/admin/jobs', (p) => p.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor()],
    system: ['/admin/system', (p) => p.getByText('In the warehouse').waitFor()],
    'a page that is not there': ['/nowhere', (p) => p.getByText('There is no such page').waitFor()],
  }
}

async function show(page, [path, ready]) {
  await page.goto(path)
  await ready(page)
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => document.fonts.ready)
}

for (const scheme of ['light', 'dark']) {
  // Colours do not change what fits, so the widths between are looked at once.
  const sizes = scheme === 'light' ? [[1440, 900], [768, 1024], [390, 844], [320, 640]] : [[1440, 900], [390, 844]]
  for (const [width, height] of sizes) {
    test(`every page is clean for axe and no wider than ${width} px, ${scheme}`, async (t) => {
      const page = await signedIn(t, { width, height, scheme })
      for (const [name, each] of Object.entries(await pages(page))) {
        await show(page, each)
        assert.equal(await sideways(page), 0, `${name} scrolls sideways at ${width} px`)
        // Contrast and structure do not change between the middle widths.
        if (width === 1440 || width === 390) await clean(page, `${name}, ${width} px, ${scheme}`)
      }
    })
  }
}

test('tables stand in for charts, in light and dark', async (t) => {
  for (const scheme of ['light', 'dark']) {
    const page = await signedIn(t, { scheme })
    await show(page, (await pages(page)).review)
    for (let left = await page.getByRole('button', { name: 'Show as table' }).count(); left > 0; left--) await page.getByRole('button', { name: 'Show as table' }).first().click()
    assert.ok(await page.getByRole('table').count() >= 3)
    await clean(page, `review as tables, ${scheme}`)
    await page.getByRole('button', { name: 'Definition' }).click()
    await page.getByRole('dialog').waitFor()
    await clean(page, `definition, ${scheme}`)
  }
})

test('on a narrow screen the navigation is a drawer and the tree an outline', async (t) => {
  const page = await signedIn(t, { width: 390, height: 844 })
  await show(page, (await pages(page)).review)
  const xs = await page.getByRole('treeitem').evaluateAll((list) => list.slice(0, 3).map((each) => each.getBoundingClientRect().left))
  assert.ok(xs[1] - xs[0] > 4 && xs[1] - xs[0] < 40, 'children are indented')
  await page.getByRole('button', { name: 'Open navigation' }).click()
  const drawer = page.getByRole('dialog', { name: 'Navigation' })
  await drawer.waitFor()
  await clean(page, 'the drawer')
  await drawer.getByRole('link', { name: 'Deals' }).click()
  await page.getByRole('heading', { name: 'Deals', level: 1 }).waitFor()
  await drawer.waitFor({ state: 'hidden' })
})

test('the review does not jump while it comes', async (t) => {
  const page = await signedIn(t)
  await page.addInitScript(() => {
    window.shifted = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
  })
  await show(page, (await pages(page)).review)
  const shifted = await page.evaluate(() => window.shifted)
  assert.ok(shifted <= 0.05, `layout shift ${shifted}`)
})

test('the policy of the pages allows no script of others, and assets are kept for good', async (t) => {
  const page = await signedIn(t)
  const { url } = await open()
  const index = await page.context().request.get(`${url}/review`)
  assert.match(index.headers()['content-security-policy'], /default-src 'self'/)
  assert.equal(index.headers()['cache-control'], 'no-cache')
  const asset = /\/assets\/index-[\w-]+\.js/.exec(await index.text())?.[0]
  assert.ok(asset)
  const script = await page.context().request.get(url + asset)
  assert.match(script.headers()['cache-control'], /immutable/)
  assert.equal((await page.context().request.get(`${url}/assets/nothing-here.js`)).status(), 404)
})

const dist = new URL('../dist/', import.meta.url).pathname

/** sizes adds up the entry: what index.html names. */
test('the entry stays within its budget: 160 KB of script and 42 KB of style, gzipped', { skip: !existsSync(join(dist, 'index.html')) && 'dist is not built here' }, () => {
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(js|css))"/g)]
  const size = (kind) => named.filter(([, , each]) => each === kind).reduce((sum, [, path]) => sum + gzipSync(readFileSync(join(dist, path)), { level: 9 }).length, 0)
  const [js, css] = [size('js') / 1000, size('css') / 1000]
  console.log(`entry: ${js.toFixed(1)} KB script, ${css.toFixed(1)} KB style, gzipped`)
  assert.ok(js > 0 && js <= 160, `entry script ${js} KB`)
  assert.ok(css > 0 && css <= 42, `entry style ${css} KB`)
})

test('no page fetches more than 60 KB of script beyond the entry, brotli', async (t) => {
  const page = await signedIn(t)
  const html = existsSync(join(dist, 'index.html')) ? readFileSync(join(dist, 'index.html'), 'utf8') : ''
  const sizes = new Map(html === '' ? [] : readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.js')).map((name) => {
    const compressed = join(dist, 'assets', `${name}.br`)
    return [name, statSync(existsSync(compressed) ? compressed : join(dist, 'assets', name)).size]
  }))
  const over = []
  for (const [name, each] of Object.entries({ ...await pages(page), 'deals as a board': ['/deals?layout=board&group=status', (p) => p.getByRole('heading', { name: 'Deals', level: 1 }).waitFor()] })) {
    const seen = new Set()
    const note = (request) => {
      const file = /\/assets\/([^/?]+\.js)$/.exec(request.url())?.[1]
      if (file !== undefined && !html.includes(file)) seen.add(file)
    }
    page.on('request', note)
    await show(page, each)
    page.off('request', note)
    const total = [...seen].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0) / 1000
    if (total > 60) over.push(`${name} fetches ${total.toFixed(1)} KB more: ${[...seen].map((file) => `${file} ${sizes.get(file)}`).join(', ')}`)
  }
  assert.deepEqual(over, [])
})
