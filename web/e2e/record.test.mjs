// The record page as it is used all day, the search, and the day's work.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { api, clean, close, newDeal, sideways, signedIn } from './browser.mjs'

after(close)

let counter = 0
const unique = (words) => `${words} ${process.pid}-${Date.now()}-${(counter += 1)}`
const day = (n) => new Date(Date.now() + n * 864e5).toISOString().slice(0, 10)

/** An account with a contact, a deal, a task and seven activities. */
async function customer(page) {
  const account = await api(page, 'POST', '/records/account', { fields: { name: unique('Customer'), sector: 'Logistics' } })
  const contact = await api(page, 'POST', '/records/contact', { fields: { name: unique('Person'), email: `p${Date.now()}${(counter += 1)}@example.com`, phone: '+49 30 901820', account: account.id } })
  const deal = await newDeal(page, { account: account.id, contact: contact.id })
  await api(page, 'POST', '/records/task', { fields: { subject: unique('Promise'), due_on: day(2), account: account.id, contact: contact.id } })
  for (let i = 1; i <= 7; i++) await api(page, 'POST', '/records/activity', { fields: { subject: `Talk ${i}`, type: i % 2 ? 'call' : 'email', outcome: 'reached', body: 'Asked about prices and the start.', done_at: `2026-02-0${i}T10:00:00Z`, account: account.id, contact: contact.id } })
  return { account, contact, deal }
}

for (const [width, height] of [[1440, 900], [390, 844]]) {
  test(`the last five interactions with a person are in sight without scrolling, ${width} × ${height}`, async (t) => {
    const page = await signedIn(t, { width, height })
    const { contact } = await customer(page)
    await page.goto(`/records/contact/${contact.id}`)
    const list = page.getByRole('list', { name: 'Last interactions' })
    await list.waitFor()
    await page.waitForLoadState('networkidle')
    assert.deepEqual(await list.getByRole('link').allInnerTexts(), ['Talk 7', 'Talk 6', 'Talk 5', 'Talk 4', 'Talk 3'])
    const box = await list.boundingBox()
    assert.ok(box.y + box.height <= height, `the fifth ends at ${box.y + box.height} px of ${height}`)
    assert.equal(await page.evaluate(() => window.scrollY), 0)
    assert.equal(await sideways(page), 0)
    const details = await page.getByRole('region', { name: 'Details' }).boundingBox()
    if (width === 390) assert.ok(details.y > box.y, 'before the fields')
    await clean(page, `a person, ${width} px`)
  })
}

test('a record asks the server at most four times', async (t) => {
  const page = await signedIn(t)
  const { contact } = await customer(page)
  await page.goto('/imports')
  await page.getByRole('heading', { name: 'Imports', level: 1 }).waitFor()
  await page.waitForLoadState('networkidle')
  const asked = []
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/') && !request.url().endsWith('/objects')) asked.push(request.url().replace(/^.*\/api\/v1/, ''))
  })
  await page.evaluate((path) => {
    window.history.pushState({}, '', path)
    window.dispatchEvent(new PopStateEvent('popstate'))
  }, `/records/contact/${contact.id}`)
  await page.getByRole('list', { name: 'Last interactions' }).waitFor()
  await page.waitForLoadState('networkidle')
  assert.ok(asked.length <= 4, asked.join('\n'))
})

test('a call with its outcome and the next task is logged in six actions', async (t) => {
  const page = await signedIn(t)
  const { contact } = await customer(page)
  await page.goto(`/records/contact/${contact.id}`)
  await page.getByRole('list', { name: 'Last interactions' }).waitFor()
  let actions = 0
  const act = async (what) => {
    actions += 1
    await what
  }
  const next = unique('Send the offer')
  await act(page.keyboard.press('l'))
  await act(page.keyboard.type('Agreed on the price'))
  await act(page.getByLabel('Outcome').selectOption('positive'))
  await act(page.getByLabel('Next task').fill(next))
  await act(page.getByLabel('Due').fill(day(3)))
  await act(page.keyboard.press('Control+Enter'))
  await page.getByRole('status').getByText('Logged, and the task is set').waitFor()
  assert.ok(actions <= 6, `${actions} actions`)
  await page.getByRole('list', { name: 'Last interactions' }).getByRole('link', { name: 'Agreed on the price' }).waitFor()
  const tasks = await api(page, 'GET', `/records/task?filter=${encodeURIComponent(JSON.stringify({ field: 'subject', op: 'eq', value: next }))}`)
  assert.equal(tasks.items[0].fields.due_on, day(3))
  assert.equal(tasks.items[0].fields.contact, contact.id)
})

test('what belongs to a record is listed with counts and opens as a list; the timeline is narrowed by kind', async (t) => {
  const page = await signedIn(t)
  const { account, contact, deal } = await customer(page)
  await page.goto(`/records/account/${account.id}`)
  await page.getByRole('region', { name: /^Deals 1/ }).getByRole('link', { name: deal.fields.name }).waitFor()
  await page.getByRole('region', { name: /^Contacts 1/ }).getByRole('link', { name: contact.fields.name }).waitFor()
  const timeline = page.getByRole('region', { name: 'Timeline' })
  await timeline.getByLabel('Shown on the timeline').selectOption('task')
  await timeline.getByText(/created task/).waitFor()
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null)
  assert.equal(await timeline.getByText(/created activity/).count(), 0)
  await page.getByRole('link', { name: 'All 1 deals' }).click()
  await page.getByRole('button', { name: `Remove filter: Account is ${account.fields.name}` }).waitFor()
  await page.getByRole('status').getByText('1 deal match').waitFor()
})

test('search finds people by words and addresses, with the keyboard alone; what was opened last is offered first', async (t) => {
  const page = await signedIn(t)
  const { contact } = await customer(page)
  await page.goto('/today')
  await page.getByRole('heading', { name: 'Today', level: 1 }).waitFor()
  await page.keyboard.press('/')
  const field = page.getByRole('combobox', { name: 'Search or jump to' })
  await field.waitFor()
  await page.keyboard.type(contact.fields.email)
  await page.getByRole('option', { name: contact.fields.name }).waitFor()
  await clean(page, 'search hits')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: contact.fields.name, level: 1 }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('option', { name: contact.fields.name }).first().waitFor()
  await page.getByRole('option', { name: /Log a call, mail, meeting or note here/ }).click()
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Subject')
})

for (const scheme of ['light', 'dark']) {
  test(`today shows what is due with its action; a task is done and comes back, ${scheme}`, async (t) => {
    const page = await signedIn(t, { scheme })
    const subject = unique('Call back')
    const task = await api(page, 'POST', '/records/task', { fields: { subject, due_on: day(-400) } })
    await page.goto('/today')
    await page.getByRole('link', { name: subject }).waitFor()
    await clean(page, `today, ${scheme}`)
    await page.getByRole('button', { name: `Done: ${subject}` }).click()
    await page.getByRole('link', { name: subject }).waitFor({ state: 'detached' })
    assert.equal((await api(page, 'GET', `/records/task/${task.id}`)).fields.status, 'done')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('link', { name: subject }).waitFor()
    await page.getByRole('button', { name: `Put off ${subject}` }).click()
    await page.getByRole('menuitem', { name: /Tomorrow/ }).click()
    await page.getByRole('link', { name: subject }).waitFor({ state: 'detached' })
    assert.equal((await api(page, 'GET', `/records/task/${task.id}`)).fields.due_on, day(1))
  })
}

test('tasks are grouped, and put off and given away together', async (t) => {
  const page = await signedIn(t)
  const subjects = [unique('First of two'), unique('Second of two')]
  const made = []
  for (const subject of subjects) made.push(await api(page, 'POST', '/records/task', { fields: { subject, due_on: day(-500) } }))
  await page.goto('/tasks')
  const overdue = page.getByRole('region', { name: /^Overdue/ })
  for (const subject of subjects) await overdue.getByRole('checkbox', { name: `Select ${subject}` }).check()
  await clean(page, 'tasks')
  await page.getByRole('region', { name: 'Selected tasks' }).getByRole('button', { name: 'Put off' }).click()
  await page.getByRole('menuitem', { name: /In a week/ }).click()
  await page.getByText(/^2 tasks are due/).waitFor()
  for (const each of made) assert.equal((await api(page, 'GET', `/records/task/${each.id}`)).fields.due_on, day(7))
  await page.getByRole('button', { name: 'Undo' }).click()
  await overdue.getByRole('checkbox', { name: `Select ${subjects[0]}` }).waitFor()

  const { items: [other] } = await api(page, 'GET', '/records/user?limit=1&sort=name')
  for (const subject of subjects) await overdue.getByRole('checkbox', { name: `Select ${subject}` }).check()
  await page.getByRole('button', { name: 'Give to…' }).click()
  await page.getByRole('combobox', { name: 'Who does them' }).or(page.getByLabel('Who does them')).first().fill(other.fields.name)
  await page.getByRole('option', { name: other.fields.name, exact: true }).click()
  await page.getByRole('button', { name: 'Give to them' }).click()
  await page.getByText(new RegExp(`^2 tasks are now with`)).waitFor()
  assert.equal((await api(page, 'GET', `/records/task/${made[0].id}`)).fields.owner, other.id)
})

test('while there is no connection the page says so', async (t) => {
  const page = await signedIn(t, { allow: [/ERR_INTERNET_DISCONNECTED/] })
  await page.goto('/tasks')
  await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor()
  await page.context().setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await clean(page, 'offline')
  await page.context().setOffline(false)
  await page.getByText('You are offline.').waitFor({ state: 'detached' })
})

test('an address is written line by line and stands in one', async (t) => {
  const page = await signedIn(t)
  const name = unique('House')
  await page.goto('/records/account/new')
  await page.getByLabel('Name', { exact: false }).first().fill(name)
  const address = page.getByRole('group', { name: 'Address' })
  await address.getByLabel('Street and number').fill('Unter den Linden 1')
  await address.getByLabel('City').fill('Berlin')
  await clean(page, 'a creation form')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await page.getByText('Unter den Linden 1, Berlin').first().waitFor()
})
