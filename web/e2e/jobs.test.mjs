// Jobs: long work that is started elsewhere shows how far it is, gives its file, and is taken back.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { api, clean, close, sideways, signedIn } from './browser.mjs'

after(close)

const stamp = Date.now()

async function ended(page, id) {
  for (const until = Date.now() + 60_000; ;) {
    const job = await api(page, 'GET', `/jobs/${id}`)
    if (!['waiting', 'running', 'undoing'].includes(job.state)) return job
    assert.ok(Date.now() < until, `${id} is still ${job.state}`)
    await page.waitForTimeout(100)
  }
}

test('a bulk edit is shown with its counts, asked about, and undone as a whole', async (t) => {
  const page = await signedIn(t)
  const made = []
  for (let i = 0; i < 12; i++) made.push(await api(page, 'POST', '/records/account', { fields: { name: `Bulk ${stamp} ${i}`, sector: 'rail' } }))
  const job = await api(page, 'POST', '/bulk', { object: 'account', op: 'update', ids: made.map((each) => each.id), fields: { sector: 'sea' } })
  assert.equal((await ended(page, job.id)).changed, 12)
  await page.goto('/admin/jobs?kind=bulk')
  const row = page.getByRole('listitem').filter({ hasText: '12 of 12 records' }).first()
  await row.getByText('12 changed').waitFor()
  await clean(page, 'jobs')
  await row.getByRole('button', { name: /^Undo: Set sector/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Undo this job?' })
  await dialog.waitFor()
  await clean(page, 'the question before a job is undone')
  await dialog.getByRole('button', { name: 'Undo the job' }).click()
  await page.getByText('12 put back').first().waitFor({ timeout: 60_000 })
  assert.equal((await api(page, 'GET', `/records/account/${made[0].id}`)).fields.sector, 'rail')
})

test('an export gives its file, whole and in parts', async (t) => {
  const page = await signedIn(t, { width: 390, height: 844 })
  await api(page, 'POST', '/records/account', { fields: { name: `=SUM(${stamp})` } })
  const job = await api(page, 'POST', '/exports', { object: 'account', columns: ['id', 'name'], filter: { field: 'name', op: 'contains', value: String(stamp) } })
  await ended(page, job.id)
  await page.goto('/admin/jobs?kind=export')
  assert.equal(await sideways(page), 0)
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^accounts-.*\.csv$/ }).first().click()])
  const chunks = []
  for await (const chunk of await download.createReadStream()) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  assert.match(text, /^id,name\r\n/)
  assert.ok(text.includes(`'=SUM(${stamp})`), text)
  await page.getByRole('link', { name: 'Imports', exact: true }).last().click()
  await page.waitForURL(/kind=import/)
})
