// Takes pictures of every page, to be looked at: node e2e/shots.mjs [folder] [page…]. They land in web/shots unless a folder is named.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { api, close, newDeal, open, signedIn } from './browser.mjs'

const folder = process.argv[2] ?? new URL('../shots', import.meta.url).pathname
const only = process.argv.slice(3)
await mkdir(folder, { recursive: true })
const after = []
const t = { after: (run) => after.push(run) }
const { browser } = await open()

const first = await signedIn(t)
const deal = await newDeal(first)
const won = (await api(first, 'GET', `/records/deal?limit=1&sort=-amount&filter=${encodeURIComponent('{"field":"status","op":"eq","value":"won"}')}`)).items[0]
const pages = {
  review: '/review', deals: '/deals', deal: `/deals/${won?.id ?? deal.id}`, fresh: `/deals/${deal.id}`, new: '/deals/new', imports: '/imports', leads: '/leads', handoffs: '/handoffs', forms: '/admin/forms', assignment: '/admin/assignment', jobs: '/admin/jobs', pipeline: '/pipeline', stale: '/pipeline/stale', stages: '/admin/stages', system: '/admin/system',
  accounts: '/records/account', account: '/records/account/account_2', board: '/deals?layout=board&group=status', today: '/today?whose=all', tasks: '/tasks?whose=all', 'new-account': '/records/account/new', login: '/login',
}
for (const scheme of ['light', 'dark']) {
  for (const width of [1440, 390]) {
    const page = await signedIn(t, { width, height: width === 390 ? 844 : 900, scheme, allow: [/.*/] })
    for (const [name, path] of Object.entries(pages)) {
      if (only.length > 0 && !only.includes(name)) continue
      await page.goto(path)
      await page.waitForLoadState('networkidle')
      await page.evaluate(() => document.fonts.ready)
      await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
    }
  }
}
for (const run of after) await run()
await browser.close()
await close()
