// Leads: from a form or by hand, to a person, to a contact or to a reason; the clocks of handoffs; the rules that assign.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { api, clean, close, open, sideways, signedIn } from './browser.mjs'

after(close)

const mark = `${process.pid}-${Date.now()}`
let counter = 0
let seller

/** Everything that the tests need is made once: somebody who takes leads, and a rule that gives them. */
before(async () => {
  const { browser, url } = await open()
  const context = await browser.newContext({ baseURL: url })
  const page = await context.newPage()
  const { email, password } = await import('./browser.mjs')
  await context.request.post('/api/v1/session', { data: { email, password }, headers: { origin: url } })
  seller = await api(page, 'POST', '/records/user', { fields: { name: `Selma Seller ${mark}`, role: 'editor', scope: 'all', takes_leads: true } })
  await api(page, 'POST', '/records/assignment_rule', { fields: { name: `All to Selma ${mark}`, rank: 1, method: 'fixed', person: seller.id, response_minutes: 30 } })
  await context.close()
})

/** newLead makes a lead that belongs to nobody yet, so that the rules decide. */
function newLead(page, fields = {}) {
  counter++
  return api(page, 'POST', '/records/lead', { fields: { name: `Lena Lead ${mark}-${counter}`, email: `lena-${mark}-${counter}@example.com`, source: 'browser test', company: `Company ${mark}-${counter}`, owner: null, ...fields } })
}

const rowOf = (page, name) => page.getByRole('row').filter({ hasText: name })

test('a lead is rejected only with a reason', async (t) => {
  const page = await signedIn(t)
  const lead = await newLead(page)
  await page.goto('/leads')
  const row = rowOf(page, lead.fields.name)
  await row.getByText(/left/).waitFor()
  await row.getByText(`All to Selma ${mark}: Selma Seller ${mark}, who gets all of these`).waitFor()
  await clean(page, 'leads')
  await row.getByRole('button', { name: 'Reject' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await dialog.getByText('Choose a reason: the campaign learns from it.').waitFor()
  await clean(page, 'the reject dialog')
  assert.equal((await api(page, 'GET', `/records/lead/${lead.id}`)).fields.status, 'new')
  await dialog.getByLabel('Reason').selectOption('no_budget')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await row.waitFor({ state: 'detached' })
  const now = await api(page, 'GET', `/records/lead/${lead.id}`)
  assert.deepEqual([now.fields.status, now.fields.rejection_reason], ['rejected', 'no_budget'])
  await page.getByRole('button', { name: /^Rejected/ }).click()
  await page.waitForURL(/show=rejected/)
  await rowOf(page, lead.fields.name).getByText('No budget').waitFor()
})

test('a lead is accepted by a key and converted in one dialog, and that can be undone', async (t) => {
  const page = await signedIn(t)
  const lead = await newLead(page)
  await page.goto('/leads')
  await rowOf(page, lead.fields.name).getByRole('cell').first().click()
  await page.keyboard.press('a')
  await rowOf(page, lead.fields.name).waitFor({ state: 'detached' })
  await page.goto('/leads?show=working')
  await rowOf(page, lead.fields.name).getByRole('button', { name: 'Convert' }).click()
  const dialog = page.getByRole('dialog')
  assert.equal(await dialog.getByLabel('Account name').inputValue(), lead.fields.company)
  await clean(page, 'the convert dialog')
  await dialog.getByLabel(/^Amount/).fill('1200')
  await dialog.getByRole('button', { name: 'Convert' }).click()
  await page.getByText('The lead is a contact with a deal now').waitFor()
  const done = await api(page, 'GET', `/records/lead/${lead.id}`)
  assert.equal(done.fields.status, 'converted')
  const deal = await api(page, 'GET', `/records/deal/${done.fields.converted_deal}`)
  assert.deepEqual([deal.fields.account, deal.fields.contact, deal.fields.amount.amount], [done.fields.converted_account, done.fields.converted_contact, '1200.00'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await rowOf(page, lead.fields.name).waitFor()
  assert.equal((await api(page, 'GET', `/records/lead/${lead.id}`)).fields.status, 'working')
})

test('an incomplete lead is kept, counted and assigned to nobody', async (t) => {
  const page = await signedIn(t)
  const lead = await api(page, 'POST', '/records/lead', { fields: { company: `Nameless ${mark}`, owner: null } })
  await page.goto('/leads?show=incomplete')
  const row = rowOf(page, `Nameless ${mark}`)
  await row.getByText('name, e-mail or phone, source').waitFor()
  await row.getByText('Nobody yet').waitFor()
  assert.equal(lead.fields.response_due_at ?? null, null)
  await page.getByRole('button', { name: /^Incomplete \(\d/ }).waitFor()
})

test('a form that is sent in a browser ends as a lead with its first and last visit', async (t) => {
  const page = await signedIn(t, { allow: [/status of 422/] })
  const slug = `talk-${mark}`
  await page.goto('/admin/forms?form=new')
  await page.getByLabel('Name', { exact: true }).fill(`Talk to us ${mark}`)
  await page.getByLabel('Address part').fill('Not An Address')
  await page.getByRole('button', { name: 'Make the form' }).click()
  await page.getByText(/is no address part/).waitFor()
  await page.getByLabel('Address part').fill(slug)
  await page.getByRole('button', { name: 'Make the form' }).click()
  await page.getByLabel('To show it on one of these sites').waitFor()
  await clean(page, 'the form editor')

  const { browser, url } = await open()
  const visitor = await browser.newContext({ baseURL: url, javaScriptEnabled: true })
  t.after(() => visitor.close())
  const visit = await visitor.newPage()
  const person = `anna-${mark}@example.com`
  const send = async (query, address) => {
    await visit.goto(`/f/${slug}?${query}`)
    await visit.getByLabel('Name').pressSequentially('Anna Alder-Birkenfeld', { delay: 60 })
    await visit.getByLabel('E-mail').pressSequentially(address, { delay: 60 })
    await visit.getByRole('button', { name: 'Send' }).click()
  }
  await send('utm_source=google&utm_medium=cpc&utm_campaign=Spring', 'nowhere in particular')
  await visit.getByRole('alert').getByText(/is not an e-mail address/).waitFor()
  await clean(visit, 'a form with something wrong in it')
  await visit.getByLabel('E-mail').fill(person)
  await visit.getByRole('button', { name: 'Send' }).click()
  await visit.getByText('Thank you').waitFor()
  await visitor.clearCookies()
  await send('utm_source=newsletter', person)
  await visit.getByText('Thank you').waitFor()

  const filter = encodeURIComponent(JSON.stringify({ field: 'email', op: 'eq', value: person }))
  const { items } = await api(page, 'GET', `/records/lead?filter=${filter}`)
  assert.equal(items.length, 1, 'one person is one lead')
  const { fields } = items[0]
  assert.deepEqual([fields.first_source, fields.first_channel, fields.last_source, fields.last_channel], ['google', 'paid_search', 'newsletter', 'email'])
  assert.equal(fields.owner, seller.id)
  await page.reload()
  await page.getByRole('group', { name: 'Submissions' }).getByText('Refused').waitFor()
  assert.equal(await page.getByRole('group', { name: 'Submissions' }).getByText('Accepted').count(), 2)
})

test('a broken clock is in the week\'s report, and handoffs are taken or refused with a reason', async (t) => {
  const page = await signedIn(t)
  const lead = await newLead(page)
  const late = await api(page, 'POST', '/records/handoff', { fields: {
    kind_of: 'marketing_to_sales', lead: lead.id, to: seller.id, requested_at: new Date(Date.now() - 60_000).toISOString(), due_at: new Date(Date.now() - 1000).toISOString(),
  } })
  await page.goto('/handoffs')
  const report = page.getByRole('group', { name: 'Late handoffs' })
  await report.getByText(late.fields.summary).waitFor()
  await clean(page, 'handoffs')
  const row = page.getByRole('group', { name: 'Waiting handoffs' }).getByRole('row').filter({ hasText: late.fields.summary }).filter({ hasText: 'late' })
  await row.getByRole('button', { name: 'Reject' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await dialog.getByText('Choose a reason').waitFor()
  await dialog.getByLabel('Reason').selectOption('wrong_target')
  await dialog.getByRole('button', { name: 'Reject' }).click()
  await page.getByRole('group', { name: 'Reasons' }).getByText('Outside our market').waitFor()
  assert.equal((await api(page, 'GET', `/records/lead/${lead.id}`)).fields.status, 'rejected')
  await page.getByRole('button', { name: 'Week before' }).click()
  await page.waitForURL(/week=/)
})

test('a draft of the rules is tried on real leads before it is put in force', async (t) => {
  const page = await signedIn(t)
  await newLead(page)
  await page.goto('/admin/assignment')
  await page.getByLabel(`Ask All to Selma ${mark}`, { exact: true }).uncheck()
  await page.getByText('a draft: 1 changed').waitFor()
  await page.getByRole('button', { name: 'Try it' }).click()
  await page.getByText('What the draft would have done').waitFor()
  await page.getByRole('group', { name: 'Leads of the simulation' }).getByText('no rule found anybody').first().waitFor()
  await clean(page, 'assignment')
  const { items } = await api(page, 'GET', '/records/assignment_rule')
  assert.ok(items.every((rule) => rule.fields.active), 'nothing was written')
  await page.getByRole('button', { name: 'Drop the draft' }).click()
  await page.getByText('as they are in force').waitFor()
})

test('the pages of leads can be used on a phone and in the dark', async (t) => {
  const page = await signedIn(t, { width: 390, height: 800, scheme: 'dark' })
  await newLead(page)
  for (const [path, heading] of [['/leads', 'Leads'], ['/handoffs', 'Handoffs'], ['/admin/forms', 'Forms'], ['/admin/assignment', 'Assignment']]) {
    await page.goto(path)
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
    await page.getByRole('table').first().waitFor()
    assert.equal(await sideways(page), 0, `${path} scrolls sideways`)
    await clean(page, `${path} in the dark`)
  }
})
