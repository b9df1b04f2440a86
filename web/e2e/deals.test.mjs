// Deals: the list, one deal, changing it, moving it, writing down what was done.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { api, clean, close, newDeal, signedIn, stagesOf } from './browser.mjs'

after(close)

const amounts = (page) => page.getByRole('grid', { name: 'Deals' }).locator('tbody tr td:nth-child(3)').evaluateAll((cells) => cells.map((cell) => Number(cell.textContent.replace(/[^0-9.]/g, ''))).filter((value) => value > 0))

test('the list sorts, filters in words, counts, and keeps all of it in the address', async (t) => {
  const page = await signedIn(t)
  await page.goto('/deals')
  await page.getByRole('grid', { name: 'Deals' }).waitFor()
  const down = await amounts(page)
  assert.deepEqual(down, [...down].sort((a, b) => b - a), 'largest first')
  await page.getByRole('columnheader', { name: 'Amount' }).getByRole('button').click()
  await page.waitForURL(/sort=amount/)
  await page.locator('[aria-sort=ascending]').waitFor()
  await page.waitForFunction(() => document.querySelector('table[aria-busy=true]') === null)
  const up = await amounts(page)
  assert.deepEqual(up, [...up].sort((a, b) => a - b), 'smallest first')

  await page.getByRole('button', { name: 'Add filter' }).click()
  await page.getByLabel('Field').selectOption('status')
  await page.getByLabel('Is', { exact: true }).selectOption('eq')
  await page.getByLabel('Value').selectOption('won')
  await clean(page, 'the filter form')
  await page.getByRole('button', { name: 'Apply filter' }).click()
  await page.getByRole('button', { name: 'Remove filter: Status is Won' }).waitFor()
  await page.getByRole('status').getByText(/deals match/).waitFor()
  // The rows and the count from before stay, dimmed, until the answer is there: every row shown is won then.
  await page.waitForFunction(() => document.querySelector('table[aria-busy=true]') === null
    && [...document.querySelectorAll('tbody tr[aria-rowindex]')].every((row) => row.textContent.includes('Won')))
  const words = await page.getByRole('status').getByText(/deals match/).innerText()
  await page.reload()
  await page.getByRole('button', { name: 'Remove filter: Status is Won' }).waitFor()
  await page.getByText(words, { exact: true }).waitFor()
  await page.locator('[aria-sort=ascending]').waitFor()
  await page.getByRole('button', { name: 'Remove filter: Status is Won' }).click()
  await page.waitForURL((url) => !url.search.includes('filter'))
})

test('columns are chosen, and more rows come with scrolling', async (t) => {
  const page = await signedIn(t)
  await page.goto('/deals')
  const rows = page.getByRole('grid', { name: 'Deals' }).locator('tbody tr')
  await rows.first().waitFor()
  const before = Number(await page.getByRole('grid', { name: 'Deals' }).getAttribute('aria-rowcount'))
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByLabel('Next step', { exact: true }).check()
  await page.keyboard.press('Escape')
  await page.getByRole('columnheader', { name: 'Next step', exact: true }).waitFor()
  // More rows come by themselves with scrolling, and few of them are drawn.
  const list = page.getByRole('grid', { name: 'Deals' }).locator('..')
  if (before < 80) return
  await list.evaluate((element) => element.scrollTo(0, element.scrollHeight))
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr[aria-rowindex]')].some((row) => Number(row.getAttribute('aria-rowindex')) > 102))
  assert.ok(await rows.count() < 80, 'only the rows in sight are drawn')
})

test('J, K and Enter walk the rows and open one', async (t) => {
  const page = await signedIn(t)
  await page.goto('/deals')
  const rows = page.getByRole('grid', { name: 'Deals' }).locator('tbody tr')
  await rows.nth(2).waitFor()
  const names = await page.locator('a[data-row]').allInnerTexts()
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
  assert.equal(await page.evaluate(() => document.activeElement.textContent), names[1])
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: names[1], level: 1 }).waitFor()
})

test('a filter without a match names it and offers the way out', async (t) => {
  const page = await signedIn(t)
  await page.goto('/deals')
  await page.getByLabel('Find deals by name').fill('no deal is called so')
  await page.getByText('No deals match the filters').waitFor()
  await page.getByRole('button', { name: 'Clear the filters' }).click()
  await page.getByRole('grid', { name: 'Deals' }).waitFor()
  assert.equal(await page.getByLabel('Find deals by name').inputValue(), '')
})

test('a deal is created from the registry\'s form; what is missing is said at its field', async (t) => {
  const page = await signedIn(t)
  await page.goto('/deals')
  await page.getByRole('button', { name: 'New deal' }).click()
  await page.getByRole('heading', { name: 'New deal', level: 1 }).waitFor()
  await page.getByLabel(/^Stage/).first().waitFor()
  await page.getByRole('button', { name: 'Create deal' }).click()
  await page.locator('.mantine-InputWrapper-error').first().waitFor()
  const name = `Made by hand <b>${Date.now()}</b>`
  await page.getByRole('textbox', { name: /^Name/ }).fill(name)
  await page.getByLabel('Amount (USD)').fill('1.250')
  await page.getByLabel('Amount (USD)').fill('1250.50')
  await clean(page, 'new deal')
  await page.getByRole('button', { name: 'Create deal' }).click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await page.getByText('$1,250.50').first().waitFor()
})

test('a field is edited in place and the timeline says before and after', async (t) => {
  const page = await signedIn(t)
  const deal = await newDeal(page, { next_step: 'Send the offer' })
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('button', { name: 'Edit Next step' }).click()
  await clean(page, 'an edited field')
  await page.getByLabel('Next step', { exact: true }).fill('Call the CFO')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Edit Next step' }).waitFor()
  const change = page.getByRole('listitem').filter({ hasText: 'Next step' }).filter({ hasText: 'Call the CFO' }).first()
  await change.locator('del', { hasText: 'Send the offer' }).waitFor()
  await change.locator('ins', { hasText: 'Call the CFO' }).waitFor()
  const now = await api(page, 'GET', `/records/deal/${deal.id}`)
  assert.equal(now.fields.next_step, 'Call the CFO')
  assert.equal(now.version, 2)
})

test('two people change one field: both values are shown, and the reader decides', async (t) => {
  const page = await signedIn(t, { allow: [/status of 412/] })
  const deal = await newDeal(page, { next_step: 'Mine before' })
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('button', { name: 'Edit Next step' }).click()
  await page.getByLabel('Next step', { exact: true }).fill('What I want')
  await api(page, 'PATCH', `/records/deal/${deal.id}`, { fields: { next_step: 'What they want' } }, { 'if-match': '"1"' })
  await page.getByRole('button', { name: 'Save' }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('Theirs: What they want').waitFor()
  await alert.getByText('Yours: What I want').waitFor()
  await clean(page, 'a conflict')
  await page.getByRole('button', { name: 'Save mine' }).click()
  await alert.waitFor({ state: 'detached' })
  assert.equal((await api(page, 'GET', `/records/deal/${deal.id}`)).fields.next_step, 'What I want')
})

test('two people change different fields: both changes stand', async (t) => {
  const page = await signedIn(t, { allow: [/status of 412/] })
  const deal = await newDeal(page)
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('button', { name: 'Edit Next step' }).click()
  await page.getByLabel('Next step', { exact: true }).fill('Mine')
  await api(page, 'PATCH', `/records/deal/${deal.id}`, { fields: { expected_close_on: '2030-01-31' } }, { 'if-match': '"1"' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Edit Next step' }).waitFor()
  const { fields } = await api(page, 'GET', `/records/deal/${deal.id}`)
  assert.equal(fields.next_step, 'Mine')
  assert.equal(fields.expected_close_on, '2030-01-31')
})

/** choose opens the stage menu and takes a stage. */
async function choose(page, name) {
  await page.getByRole('button', { name: /^(Move stage|Re-open or move)$/ }).click()
  await page.getByRole('menuitem', { name, exact: true }).click()
}

test('a stage is moved by menu and undone; lost asks the reason; a lost deal is opened again', async (t) => {
  const page = await signedIn(t)
  const deal = await newDeal(page)
  const stages = await stagesOf(page, deal.fields.pipeline)
  const open = stages.filter((stage) => stage.fields.status === 'open').map((stage) => stage.fields.name)
  const lost = stages.find((stage) => stage.fields.status === 'lost').fields.name
  const won = stages.find((stage) => stage.fields.status === 'won').fields.name
  await page.goto(`/deals/${deal.id}`)
  const step = page.getByRole('list', { name: 'Stages' }).locator('[aria-current=step]')
  await choose(page, open[1])
  await step.filter({ hasText: open[1] }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await step.filter({ hasText: open[0] }).waitFor()

  await choose(page, lost)
  const dialog = page.getByRole('dialog', { name: `Move to ${lost}` })
  await dialog.getByRole('button', { name: `Move to ${lost}` }).click()
  await dialog.getByText('Lost reason is needed here.').waitFor()
  await clean(page, 'the lost reason')
  await dialog.getByLabel('Lost reason').selectOption('price')
  await dialog.getByRole('button', { name: `Move to ${lost}` }).click()
  await step.filter({ hasText: lost }).waitFor()
  assert.equal((await api(page, 'GET', `/records/deal/${deal.id}`)).fields.status, 'lost')

  await choose(page, open[1])
  await step.filter({ hasText: open[1] }).waitFor()
  await choose(page, won)
  await step.filter({ hasText: won }).waitFor()
  const after = (await api(page, 'GET', `/records/deal/${deal.id}`)).fields
  assert.equal(after.status, 'won')
  assert.ok(after.closed_at)
})

test('what happened earlier is written with its time', async (t) => {
  const page = await signedIn(t)
  const hour = new Date(Date.now() - 3_600_000).toISOString()
  const pipelines = await api(page, 'GET', '/records/pipeline?limit=1')
  const stages = await stagesOf(page, pipelines.items[0].id)
  const deal = await api(page, 'POST', '/records/deal', { fields: { name: `Back-dated ${Date.now()}`, pipeline: pipelines.items[0].id, stage: stages[0].id }, happened_at: new Date(Date.now() - 30 * 86_400_000).toISOString() })
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('button', { name: 'Happens now' }).click()
  const { workspace } = await api(page, 'GET', '/me')
  const wall = new Date(hour).toLocaleString('sv-SE', { timeZone: workspace.zone }).slice(0, 16).replace(' ', 'T')
  await page.getByLabel(/When did it happen/).fill(wall)
  await clean(page, 'the back-date form')
  await page.getByRole('button', { name: 'Use this time' }).click()
  await page.getByRole('button', { name: /^Happened / }).waitFor()
  await page.getByRole('button', { name: 'Edit Next step' }).click()
  await page.getByLabel('Next step', { exact: true }).fill('Agreed an hour ago')
  await page.keyboard.press('Enter')
  await page.getByRole('listitem').filter({ hasText: 'Agreed an hour ago' }).getByText(/^recorded /).first().waitFor()
})

test('a call is logged with the keyboard alone, and the next task with it', async (t) => {
  const page = await signedIn(t)
  const deal = await newDeal(page)
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('heading', { name: 'Log what was done' }).waitFor()
  await page.keyboard.press('l')
  await page.keyboard.type('Asked about the contract')
  await page.getByLabel('Next task').fill('Send the contract')
  await clean(page, 'the log form')
  await page.keyboard.press('Control+Enter')
  await page.getByText('Logged, and the task is set').waitFor()
  await page.getByRole('list', { name: 'Last interactions' }).getByRole('link', { name: 'Asked about the contract' }).waitFor()
  await page.getByRole('link', { name: 'Send the contract' }).first().waitFor()
})

test('a deal is deleted, undone, deleted and restored', async (t) => {
  const page = await signedIn(t)
  const deal = await newDeal(page)
  await page.goto(`/deals/${deal.id}`)
  const remove = async () => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete deal' }).click()
    await page.getByText('This deal is deleted.').waitFor()
  }
  await remove()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('This deal is deleted.').waitFor({ state: 'detached' })
  await remove()
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByText('This deal is deleted.').waitFor({ state: 'detached' })
  assert.equal((await api(page, 'GET', `/records/deal/${deal.id}`)).deleted, false)
})

test('names with markup, right-to-left text and great length stay text and stay inside', async (t) => {
  const page = await signedIn(t, { width: 390, height: 844 })
  const name = `<img src=x onerror=alert(1)> שלום 🌳 ${'long'.repeat(40)}`
  const deal = await newDeal(page, { name })
  await page.goto(`/deals/${deal.id}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  assert.equal(await page.locator('main img').count(), 0)
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth))
})
