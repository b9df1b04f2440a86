// The real sets of leads and subscriptions go through the screen, where the machine has them. The file comes last by its name: it brings many records.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { api, close, signedIn } from './browser.mjs'

after(close)

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = process.env.CANOPY_SHARED_DATA ?? join(root, '..', 'shared', 'data')
const example = (set, name) => readFileSync(join(root, 'examples', set, name), 'utf8')

/** Imports one file through the screen and gives what the API says of it. */
async function through(page, set, file, mapping) {
  await page.goto('/imports')
  await page.getByLabel('File to import').setInputFiles(join(data, set, file))
  await page.getByRole('region', { name: 'First rows' }).waitFor()
  await page.getByRole('button', { name: 'Show as YAML' }).click()
  await page.getByLabel('Mapping').fill(example(set, mapping))
  await page.getByRole('button', { name: 'Check the first rows' }).click()
  await page.getByText('as mapped above; nothing is written').waitFor({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Start the import' }).click()
  await page.getByRole('heading', { name: file, level: 1 }).waitFor({ timeout: 60_000 })
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 600_000 })
  return api(page, 'GET', `/imports/${page.url().split('/').pop()}`)
}

if (existsSync(join(data, 'x_education_leads')) || process.env.CANOPY_REQUIRE === 'all') {
  test('9,240 leads that name nobody become incomplete leads', async (t) => {
    const page = await signedIn(t)
    const done = await through(page, 'x_education_leads', 'Leads.csv', 'leads.yaml')
    assert.deepEqual([done.rows_read, done.created + done.unchanged, done.refused], [9240, 9240, 0])
    await page.getByText('leads that bought a course').waitFor()
    await page.getByText('3,561').first().waitFor()
  })

  test('subscriptions and tickets come with what is wrong with them', async (t) => {
    const page = await signedIn(t)
    const set = 'ravenstack_saas'
    assert.equal((await through(page, set, 'ravenstack_accounts.csv', 'accounts.yaml')).rows_read, 500)
    const subscriptions = await through(page, set, 'ravenstack_subscriptions.csv', 'subscriptions.yaml')
    assert.deepEqual([subscriptions.rows_read, subscriptions.refused], [5000, 0])
    await page.getByText('subscriptions marked as upgraded and as downgraded at once').waitFor()
    assert.equal((await through(page, set, 'ravenstack_support_tickets.csv', 'tickets.yaml')).rows_read, 2000)
    await page.getByText('tickets that are older than their account').waitFor()
    const usage = await through(page, set, 'ravenstack_feature_usage.csv', 'usage_check.yaml')
    assert.equal(usage.refused, 21)
    await page.getByText('uses of a subscription before it started').waitFor()
    await page.getByRole('link', { name: 'Download the 21 refused rows' }).waitFor()
  })
}
