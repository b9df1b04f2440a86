// The pipeline: the board, moves that ask for what is missing, overrides that are kept, deals without life, and stages to edit.
// The tests make a pipeline of their own, so that no other test's stages change under them.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { api, clean, close, sideways, signedIn } from './browser.mjs'

after(close)

let made
/** selling makes a pipeline with stages that ask for something, once a run. */
async function selling(page) {
  made ??= (async () => {
    const name = `Browser sales ${process.pid}-${Date.now()}`
    const pipeline = await api(page, 'POST', '/records/pipeline', { fields: { name } })
    const stage = (rank, title, status, more) => api(page, 'POST', '/records/stage', { fields: { key: `${name}/${title}`, name: title, pipeline: pipeline.id, rank, status, ...more } })
    const stages = [
      await stage(1, 'Qualify', 'open', { exit_criteria: JSON.stringify({ field: 'amount', op: 'not_empty' }), exit_help: 'Say what it is worth.', probability: 0.25, age_limit_days: 10 }),
      await stage(2, 'Propose', 'open', { entry_criteria: JSON.stringify({ field: 'need', op: 'eq', value: 'yes' }), required_fields: '["expected_close_on"]', probability: 0.5 }),
      await stage(3, 'Signed', 'won', {}),
      await stage(4, 'Gone', 'lost', {}),
    ]
    return { pipeline, stages }
  })()
  return made
}

let counter = 0
async function dealIn(page, fields = {}, more = {}) {
  const { pipeline, stages } = await selling(page)
  return api(page, 'POST', '/records/deal', { fields: { name: `Kite ${process.pid}-${++counter}`, pipeline: pipeline.id, stage: stages[0].id, ...fields }, ...more })
}

const ready = { amount: { amount: '9000.00', currency: 'USD' }, need: 'yes', expected_close_on: '2030-06-30' }
const column = (page, name) => page.getByRole('region', { name, exact: true })
const cardIn = (page, name, deal) => column(page, name).locator(`[data-card="${deal.id}"]`)
const at = async (page, deal) => (await api(page, 'GET', `/records/deal/${deal.id}`)).fields

async function openBoard(page) {
  const { pipeline } = await selling(page)
  await page.goto(`/pipeline?pipeline=${pipeline.id}`)
  await column(page, 'Qualify').waitFor()
}

async function moveTo(page, from, deal, to) {
  await cardIn(page, from, deal).getByRole('button', { name: /^Move / }).click()
  await page.getByRole('menuitem', { name: to, exact: true }).click()
}

test('a card is moved by keyboard, keeps the focus, and Undo brings it back', async (t) => {
  const page = await signedIn(t)
  const deal = await dealIn(page, { ...ready, next_step: 'Show the plan' })
  await openBoard(page)
  const card = cardIn(page, 'Qualify', deal)
  await card.getByText('Show the plan').waitFor()
  await card.getByRole('button', { name: /^Move / }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Propose' }).waitFor()
  await page.getByRole('menuitem', { name: 'Propose' }).focus()
  await page.keyboard.press('Enter')
  await cardIn(page, 'Propose', deal).waitFor()
  await page.getByText(`${deal.fields.name} moved to Propose`).waitFor()
  await page.waitForFunction((id) => document.activeElement?.closest('[data-card]')?.getAttribute('data-card') === id, deal.id)
  assert.equal((await at(page, deal)).forecast_category, undefined)
  await page.getByRole('button', { name: 'Undo' }).click()
  await cardIn(page, 'Qualify', deal).waitFor()
  assert.equal((await at(page, deal)).stage, deal.fields.stage)
  await clean(page, 'the board')
})

test('a card is dragged, and Undo brings it back', async (t) => {
  const page = await signedIn(t)
  const deal = await dealIn(page, ready)
  await openBoard(page)
  await cardIn(page, 'Qualify', deal).dragTo(column(page, 'Propose'))
  await cardIn(page, 'Propose', deal).waitFor()
  await page.getByText(`${deal.fields.name} moved to Propose`).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await cardIn(page, 'Qualify', deal).waitFor()
})

test('a stage is refused until its fields are filled: the dialog asks for exactly those', async (t) => {
  const page = await signedIn(t, { allow: [/status of 412/] })
  const deal = await dealIn(page)
  await openBoard(page)
  await cardIn(page, 'Qualify', deal).getByText('No next step').waitFor()
  await moveTo(page, 'Qualify', deal, 'Propose')
  const dialog = page.getByRole('dialog', { name: 'Move to Propose' })
  await dialog.getByText('Say what it is worth.').waitFor()
  assert.deepEqual(await dialog.locator('label').allInnerTexts(), ['Amount', 'Expected close', 'Need'])
  await clean(page, 'the move dialog')
  await dialog.getByLabel('Amount').fill('1200')
  await dialog.getByRole('button', { name: 'Move to Propose' }).click()
  await dialog.getByText('Need is needed here.').waitFor()
  await dialog.getByLabel('Need').selectOption('no')
  await dialog.getByLabel('Expected close').fill('2030-01-31')
  await dialog.getByRole('button', { name: 'Move to Propose' }).click()
  await dialog.getByText('Need is Yes.').first().waitFor()
  assert.equal((await at(page, deal)).stage, deal.fields.stage, 'it has not moved')
  await dialog.getByLabel('Need').selectOption('yes')
  await dialog.getByRole('button', { name: 'Move to Propose' }).click()
  await cardIn(page, 'Propose', deal).waitFor()
  assert.equal((await at(page, deal)).need, 'yes')
})

test('closing the dialog leaves the card where it was', async (t) => {
  const page = await signedIn(t, { allow: [/status of 412/] })
  const deal = await dealIn(page)
  await openBoard(page)
  await moveTo(page, 'Qualify', deal, 'Propose')
  await page.getByRole('dialog', { name: 'Move to Propose' }).getByRole('button', { name: 'Cancel' }).click()
  await cardIn(page, 'Qualify', deal).waitFor()
  assert.equal(await cardIn(page, 'Propose', deal).count(), 0)
})

test('lost needs its reason', async (t) => {
  const page = await signedIn(t)
  const deal = await dealIn(page)
  await openBoard(page)
  await moveTo(page, 'Qualify', deal, 'Gone')
  const dialog = page.getByRole('dialog', { name: 'Move to Gone' })
  await dialog.getByRole('button', { name: 'Move to Gone' }).click()
  await dialog.getByText('Lost reason is needed here.').waitFor()
  await dialog.getByLabel('Lost reason').selectOption('price')
  await dialog.getByRole('button', { name: 'Move to Gone' }).click()
  await cardIn(page, 'Gone', deal).waitFor()
  const now = await at(page, deal)
  assert.equal(now.lost_reason, 'price')
  assert.equal(now.status, 'lost')
})

test('an administrator passes over a stage with a reason, which is on the deal’s timeline', async (t) => {
  const page = await signedIn(t, { allow: [/status of 412/] })
  const deal = await dealIn(page)
  await openBoard(page)
  await moveTo(page, 'Qualify', deal, 'Propose')
  const dialog = page.getByRole('dialog', { name: 'Move to Propose' })
  await dialog.getByRole('button', { name: 'Pass over with a reason' }).click()
  await dialog.getByRole('button', { name: 'Move without it' }).click()
  await dialog.getByText('Say why in a sentence.').waitFor()
  await dialog.getByLabel('Why it is passed over').fill('The board has promised it by hand')
  await clean(page, 'the override')
  await dialog.getByRole('button', { name: 'Move without it' }).click()
  await cardIn(page, 'Propose', deal).waitFor()
  const filter = encodeURIComponent(JSON.stringify({ field: 'deal', op: 'eq', value: deal.id }))
  const kept = (await api(page, 'GET', `/records/stage_override?filter=${filter}`)).items
  assert.equal(kept.length, 1)
  assert.equal(kept[0].fields.reason, 'The board has promised it by hand')
  assert.match(kept[0].fields.unmet, /Amount is filled/)
  await page.goto(`/deals/${deal.id}`)
  await page.getByText('The board has promised it by hand').first().waitFor()
})

test('the deal’s page answers the four questions, names its people and tells its time in stages', async (t) => {
  const page = await signedIn(t)
  const deal = await dealIn(page, ready)
  const contact = await api(page, 'POST', '/records/contact', { fields: { name: `Zelda Quist ${process.pid}`, email: `zelda.${process.pid}.${Date.now()}@example.com`, source: 'list' } })
  await page.goto(`/deals/${deal.id}`)
  await page.getByLabel('Budget: answer').selectOption('yes')
  await page.getByText('2 of 4 are a yes').waitFor()
  await page.getByLabel('Budget: note').fill('Approved in May')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('input[aria-label="Budget: note"]')?.value === 'Approved in May')
  const people = page.getByRole('region', { name: 'People in this deal' })
  await people.getByRole('button', { name: 'Add a person' }).click()
  await people.getByRole('combobox', { name: 'Person' }).fill('Zelda Quist')
  await page.getByRole('option', { name: contact.fields.name }).click()
  await people.getByLabel('Role', { exact: true }).selectOption('signer')
  await people.getByRole('button', { name: 'Add' }).click()
  await people.getByLabel(`Role of ${contact.fields.name}`).waitFor()
  assert.equal(await people.getByLabel(`Role of ${contact.fields.name}`).inputValue(), 'signer')
  await clean(page, 'a deal with its panels')
  await people.getByRole('button', { name: `Take ${contact.fields.name} off the deal` }).click()
  await people.getByText('Nobody yet.').waitFor()
  await page.getByRole('table', { name: 'Time in stages' }).getByRole('row', { name: /Qualify/ }).waitFor()
  const now = await at(page, deal)
  assert.equal(now.budget, 'yes')
  assert.equal(now.budget_note, 'Approved in May')
})

test('what the policies would do is shown, and done once when an administrator asks', async (t) => {
  const page = await signedIn(t, { allow: [/status of 422/] })
  const { pipeline } = await selling(page)
  const deal = await dealIn(page, { name: `Silent ${process.pid}` }, { happened_at: new Date(Date.now() - 30 * 86_400_000).toISOString() })
  await page.goto(`/admin/stages?pipeline=${pipeline.id}`)
  await page.getByRole('button', { name: 'Set a policy' }).click()
  const dialog = page.getByRole('dialog', { name: 'Deals in which nothing happens' })
  await dialog.getByLabel('Re-engage after days').fill('5')
  await dialog.getByRole('button', { name: 'Save policy' }).click()
  await dialog.getByText(/does not come after nudge_after_days/).waitFor()
  await clean(page, 'the policy')
  await dialog.getByLabel('Re-engage after days').fill('28')
  await dialog.getByRole('button', { name: 'Save policy' }).click()
  await page.getByText(/After 14 days without a sign of life/).waitFor()
  await page.getByRole('link', { name: 'What is due today' }).click()
  const row = page.getByRole('listitem').filter({ hasText: deal.fields.name })
  await row.getByText('Nudge its owner').waitFor()
  await row.getByText(/Nothing has happened for 30 days/).waitFor()
  assert.equal((await at(page, deal)).stagnation, 'fresh', 'looking does nothing')
  await clean(page, 'deals without life')
  await page.getByRole('button', { name: 'Do it now' }).click()
  await page.getByRole('status').getByText(/nudged/).waitFor()
  await row.waitFor({ state: 'detached' })
  assert.equal((await at(page, deal)).stagnation, 'nudged')
  assert.equal((await api(page, 'POST', '/stagnation/runs')).nudged, 0)
})

test('an administrator edits what a stage asks for; who breaks it now is counted', async (t) => {
  const page = await signedIn(t, { allow: [/status of 422/] })
  const { pipeline } = await selling(page)
  await dealIn(page, { ...ready, name: `Counted ${process.pid}` })
  await page.goto(`/admin/stages?pipeline=${pipeline.id}`)
  await page.getByRole('button', { name: 'Edit Qualify' }).click()
  let dialog = page.getByRole('dialog', { name: 'Edit Qualify' })
  await dialog.getByLabel('Age limit in days').fill('0')
  await dialog.getByRole('button', { name: 'Save stage' }).click()
  await dialog.getByText('An age limit is at least one day').first().waitFor()
  await dialog.getByLabel('Age limit in days').fill('20')
  await clean(page, 'a stage’s form')
  await dialog.getByRole('button', { name: 'Edit what must be true to come in' }).click()
  const builder = page.getByRole('dialog', { name: 'What must be true to come in' })
  await builder.getByLabel('Field').first().selectOption('source')
  await builder.getByLabel('Is', { exact: true }).first().selectOption('not_empty')
  await builder.getByRole('button', { name: 'Use this' }).click()
  dialog = page.getByRole('dialog', { name: 'Edit Qualify' })
  await dialog.getByText('Source is filled.').waitFor()
  assert.equal(await dialog.getByLabel('Age limit in days').inputValue(), '20', 'what was typed is still there')
  await dialog.getByLabel('Said to people').first().fill('Say where it came from.')
  await dialog.getByRole('button', { name: 'Save stage' }).click()
  await dialog.waitFor({ state: 'detached' })
  const stage = page.getByRole('region', { name: '1 Qualify' })
  await stage.getByText('Source is filled').waitFor()
  await stage.getByText(/breaks? what it asks for/).waitFor()
  await stage.getByText('20 days').waitFor()
  await clean(page, 'pipelines and stages')
  const record = await api(page, 'GET', `/records/stage/${(await selling(page)).stages[0].id}`)
  assert.deepEqual(JSON.parse(record.fields.entry_criteria), { field: 'source', op: 'not_empty' })
  await api(page, 'PATCH', `/records/stage/${record.id}`, { fields: { entry_criteria: null, entry_help: null } }, { 'if-match': `"${record.version}"` })
})

test('on a narrow screen one column is seen at a time, kept in the address', async (t) => {
  const page = await signedIn(t, { width: 390, height: 844 })
  const { stages } = await selling(page)
  const deal = await dealIn(page, ready)
  await openBoard(page)
  await cardIn(page, 'Qualify', deal).waitFor()
  assert.equal(await column(page, 'Propose').count(), 0)
  await page.getByLabel('Stage', { exact: true }).selectOption({ label: 'Propose' })
  await column(page, 'Propose').waitFor()
  assert.ok(page.url().includes(`at=${stages[1].id}`))
  assert.equal(await sideways(page), 0)
  await clean(page, 'the board on a narrow screen')
})

test('the board is cut to an owner in the address, and its sums are the API’s', async (t) => {
  const page = await signedIn(t)
  const { pipeline } = await selling(page)
  const deal = await dealIn(page, ready)
  const me = await api(page, 'GET', '/me')
  await openBoard(page)
  await page.getByRole('button', { name: 'Mine' }).click()
  await page.waitForURL(/owner=user_/)
  await cardIn(page, 'Qualify', deal).waitFor()
  const filter = encodeURIComponent(JSON.stringify({ field: 'owner', op: 'eq', value: me.user.id }))
  for (const until = Date.now() + 30_000; ;) { // the warehouse hears of the newest deal a moment later
    const board = await api(page, 'GET', `/pipelines/${pipeline.id}/board?filter=${filter}`)
    const list = await api(page, 'GET', `/records/deal?limit=1&filter=${encodeURIComponent(JSON.stringify({ and: [{ field: 'owner', op: 'eq', value: me.user.id }, { field: 'pipeline', op: 'eq', value: pipeline.id }, { field: 'status', op: 'eq', value: 'open' }] }))}`)
    if (board.open.count === list.count.value) break
    assert.ok(Date.now() < until, `the board counts ${board.open.count}, the list ${list.count.value}`)
  }
  await page.reload()
  await page.getByRole('region', { name: 'Sums' }).getByText('by each stage’s probability').waitFor()
  await column(page, 'Qualify').getByText(/weighted/).waitFor()
})
