// Imports and System: a file goes in, says what became of each row, and can be taken back.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clean, close, signedIn } from './browser.mjs'

after(close)

const stamp = Date.now()
const csv = ['name,domain,sector', ...Array.from({ length: 40 }, (_, i) => `Imported ${stamp}-${i},d${i}.example,retail`)].join('\n')
const mapping = `records:
  - object: account
    key: name
    fields:
      name: {from: name}
      domain: {from: domain}
      sector: {from: sector}
`

async function choose(page) {
  await page.goto('/imports')
  await page.getByLabel('File to import').setInputFiles({ name: `accounts-${stamp}.csv`, mimeType: 'text/csv', buffer: Buffer.from(csv) })
  await page.getByRole('region', { name: 'First rows' }).waitFor()
}

async function writeMapping(page) {
  await page.getByRole('button', { name: 'Show as YAML' }).click()
  await page.getByLabel('Mapping').fill(mapping)
}

test('a file is mapped without writing YAML: the first rows tell their fate, and YAML stays at hand', async (t) => {
  const page = await signedIn(t)
  const text = ['Company,Land,Branch', `Alder ${stamp},UK,rail`, ',US,air', `Birch ${stamp},Atlantis,air`].join('\n')
  await page.goto('/imports')
  await page.getByLabel('File to import').setInputFiles({ name: `mapped-${stamp}.csv`, mimeType: 'text/csv', buffer: Buffer.from(text) })
  await page.getByRole('region', { name: 'First rows' }).waitFor()
  await page.getByLabel('Each row is one').selectOption('account')
  await page.getByLabel('Company goes into').selectOption('name')
  await page.getByLabel('Land goes into').selectOption('country')
  await page.getByLabel('Branch goes into').selectOption('sector')
  await page.getByLabel('Found again by').selectOption('name')
  await page.getByRole('button', { name: 'Details of Land' }).click()
  await page.getByLabel('Translate values of Land').fill('UK = GB\nAtlantis = GR')
  await page.getByLabel('Add the same value to every row').selectOption('type')
  await page.getByLabel('Type in every row', { exact: true }).selectOption('household')
  await page.getByText('of the mapping before; check them again').waitFor()
  await page.getByRole('button', { name: 'Check the first rows' }).click()
  await page.getByText('as mapped above; nothing is written').waitFor()
  const rows = page.getByRole('group', { name: 'First rows' }).getByRole('row')
  await rows.filter({ hasText: `Alder ${stamp}` }).getByText('Created').waitFor()
  await rows.filter({ hasText: 'Refused' }).getByText(/the key is empty/i).waitFor()
  assert.equal(await rows.filter({ hasText: 'Created' }).count(), 2)
  await clean(page, 'the mapping form')
  await page.getByRole('button', { name: 'Show as YAML' }).click()
  assert.match(await page.getByLabel('Mapping').inputValue(), /country: \{"from":"Land","values":\{"UK":"GB","Atlantis":"GR"\}\}/)
  await page.getByRole('button', { name: 'Start the import' }).click()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 })
  await page.getByRole('link', { name: 'Download the 1 refused rows' }).waitFor()
})

test('every row is checked without writing anything', async (t) => {
  const page = await signedIn(t)
  await choose(page)
  await writeMapping(page)
  await page.getByRole('button', { name: 'Check every row' }).click()
  await page.getByRole('link', { name: 'Checked 40 rows' }).waitFor({ timeout: 60_000 })
  await page.getByText('40 would be created').waitFor()
  await page.getByRole('link', { name: 'Checked 40 rows' }).click()
  await page.getByRole('heading', { name: `accounts-${stamp}.csv`, level: 1 }).waitFor()
  await page.getByText('dry run: nothing is written').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Undo the import' }).count(), 0, 'there is nothing to undo')
})

test('an import shows its progress to the end and is undone as a whole', async (t) => {
  const page = await signedIn(t)
  await choose(page)
  await writeMapping(page)
  await page.getByRole('button', { name: 'Start the import' }).click()
  await page.getByRole('progressbar', { name: 'Rows read' }).waitFor()
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 })
  await page.getByText('40 of 40 rows').or(page.getByText(/^40 rows/)).first().waitFor()
  await clean(page, 'an import')
  await page.getByRole('button', { name: 'Undo the import' }).click()
  const dialog = page.getByRole('dialog', { name: 'Undo this import?' })
  await dialog.waitFor()
  await clean(page, 'the question before an undo')
  await dialog.getByRole('button', { name: 'Undo the import' }).click()
  await page.getByText('Undone', { exact: true }).waitFor({ timeout: 60_000 })
  await page.goto('/imports')
  await page.getByRole('link', { name: `accounts-${stamp}.csv` }).first().waitFor()
})

test('states that need a person: running, cancelled, failed, with refused rows', async (t) => {
  const page = await signedIn(t)
  const told = {
    id: 9001, file_name: 'sales_pipeline.csv', object: 'deal', state: 'running', dry_run: false, rows_read: 2200, rows_total: 8800, bytes_read: 100, bytes_total: 1000, created: 2100, updated: 0,
    unchanged: 0, refused: 3, undone: 0, conflicts: 0, notes: [{ text: 'deals without an account', count: 1425 }], created_at: '2026-11-22T10:00:00Z', finished_at: null, by: { id: 'user_1', name: 'Ada' },
  }
  await page.route('**/api/v1/imports/9001', (route) => route.fulfill({ json: told }))
  await page.route('**/api/v1/imports/9001/cancel', (route) => {
    told.state = 'cancelled'
    return route.fulfill({ status: 202, json: told })
  })
  await page.route('**/api/v1/imports/9001/resume', (route) => {
    Object.assign(told, { state: 'failed', error: 'the disk is full' })
    return route.fulfill({ status: 202, json: told })
  })
  await page.goto('/imports/9001')
  await page.getByText('2,200 of 8,800 rows · 25%').waitFor()
  await page.getByText('deals without an account').waitFor()
  assert.match(await page.getByRole('link', { name: 'Download the 3 refused rows' }).getAttribute('href'), /\/imports\/9001\/refused\.csv$/)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('Cancelled', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('alert').getByText('the disk is full').waitFor()
  await clean(page, 'a failed import')
})

test('System shows the relay and the runs, and asks for a back-fill', async (t) => {
  const page = await signedIn(t)
  await page.goto('/admin/system')
  await page.getByText('In the warehouse').waitFor()
  await page.getByRole('region', { name: 'Runs' }).waitFor()
  await clean(page, 'system')
  const bodies = []
  await page.getByLabel('From').fill('2026-11-02')
  await page.getByLabel(/^Until/).fill('2026-11-16')
  await page.route('**/api/v1/runs', (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    bodies.push(route.request().postDataJSON())
    return route.fulfill({ status: 202, json: {} })
  })
  await page.getByRole('button', { name: 'Compute again' }).click()
  await page.getByText('The back-fill has started').waitFor()
  assert.deepEqual(bodies, [{ room: 'kpi', from: '2026-11-02', to: '2026-11-16' }])
})
