// The weekly review: what stands on the screen adds up, is walked with the keyboard, and leads to the deals behind it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { api, clean, close, signedIn } from './browser.mjs'

after(close)

/** lastWeeks gives the newest complete weeks that have numbers, newest last. */
async function lastWeeks(page) {
  const { trees } = await api(page, 'GET', '/trees')
  const { weeks } = await api(page, 'GET', `/trees/${trees[0].name}/weeks`)
  assert.ok(weeks.length >= 4, 'the tests need some weeks with decided deals')
  const complete = weeks.slice(0, -1) // oldest first; a past that was imported ends long before today
  return { tree: trees[0], weeks: complete.slice(0, complete.findLastIndex((week) => week.value > 0) + 1).map((week) => week.week_of) }
}

async function ready(page, path = '/review') {
  await page.goto(path)
  await page.getByRole('tree').waitFor()
}

const items = (page) => page.getByRole('treeitem').evaluateAll((list) => list.map((each) => ({
  id: each.dataset.node, level: Number(each.getAttribute('aria-level')), contribution: each.dataset.contribution === '' ? null : Number(each.dataset.contribution), label: each.getAttribute('aria-label'),
})))

/** plain takes the marks of number writing away, for comparing words on different places of the page. */
const plain = (text) => text.replace(/\s/gu, ' ').trim()

test('contributions of each level add up to the change of the root, in every week and comparison', async (t) => {
  const page = await signedIn(t)
  const { tree, weeks } = await lastWeeks(page)
  for (const compare of ['previous', 'last_year', 'target']) {
    for (const week of weeks.slice(-3)) {
      for (const split of tree.splits.slice(0, 3).map((each) => each.name)) {
        const told = await api(page, 'GET', `/trees/${tree.name}?week_of=${week}&compare=${compare}&split=${split}`)
        await ready(page, `/review?week=${week}&compare=${compare}&split=${split}`)
        const shown = await items(page)
        assert.equal(shown.length, told.nodes.length, 'every node is on the screen')
        if (told.lede.change === null) continue
        const stack = []
        const sums = new Map()
        for (const item of shown) {
          stack.length = item.level - 1
          const parent = stack[item.level - 2]
          if (parent !== undefined) sums.set(parent, (sums.get(parent) ?? 0) + Math.round(item.contribution * 100))
          stack.push(item)
        }
        assert.equal(Math.round(shown[0].contribution * 100), Math.round(told.lede.change * 100), 'the root brings its whole change')
        for (const [parent, sum] of sums) assert.equal(sum, Math.round(parent.contribution * 100), `${week} ${compare} ${split}: under ${parent.id}`)
      }
    }
  }
})

test('the lede says the numbers of the tree, and its drivers lead to their nodes', async (t) => {
  const page = await signedIn(t)
  await ready(page)
  const root = page.getByRole('treeitem').first()
  const lede = page.getByTestId('lede')
  const value = plain(await page.getByTestId('lede-value').innerText())
  assert.ok(plain(await root.innerText()).includes(value), `${value} stands on the root's card`)
  const driver = lede.getByRole('button').first()
  if (await driver.count() > 0) {
    await driver.click()
    await page.waitForURL(/node=/)
    const selected = page.locator('[role=treeitem][aria-selected=true]')
    assert.equal(await selected.count(), 1)
    // What the sentence says of the driver stands on its card.
    const amount = plain(await lede.innerText()).match(/(?:added|took away) (\S+?)(?:;|\.$|\.\s)/)[1]
    assert.ok(plain(await selected.innerText()).includes(amount), `${amount} stands on the card`)
  }
})

test('the bridge closes: its table goes from the value before to the value now', async (t) => {
  const page = await signedIn(t)
  await ready(page)
  const bridge = page.getByRole('region', { name: /^From/ })
  await bridge.getByRole('button', { name: 'Show as table' }).click()
  const cents = (text) => Math.round(Number(plain(text).replaceAll('−', '-').replace(/[^0-9.-]/g, '')) * 100)
  const rows = await bridge.getByRole('row').evaluateAll((list) => list.slice(1).map((row) => [...row.cells].map((cell) => cell.textContent)))
  let level = cents(rows[0][2])
  for (const row of rows.slice(1, -1)) {
    level += cents(row[1])
    assert.equal(level, cents(row[2]), `after ${row[0]}`)
  }
  assert.equal(level, cents(rows.at(-1)[2]), 'the last step ends at now')
  await bridge.getByRole('button', { name: 'Show as chart' }).click()
  await bridge.getByRole('list').waitFor()
})

test('the tree is one tab stop and is walked, folded and chosen with the keyboard', async (t) => {
  const page = await signedIn(t)
  await ready(page)
  assert.equal(await page.locator('[role=treeitem][tabindex="0"]').count(), 1, 'one tab stop')
  const all = await items(page)
  await page.locator('[role=treeitem][tabindex="0"]').focus()
  const focused = () => page.evaluate(() => document.activeElement?.dataset.node)
  await page.keyboard.press('Home')
  assert.equal(await focused(), all[0].id)
  await page.keyboard.press('ArrowRight')
  assert.equal(await focused(), all[1].id, 'right goes to the first child')
  await page.keyboard.press('ArrowDown')
  assert.equal(await focused(), all[2].id)
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('End')
  assert.equal(await focused(), all.at(-1).id)
  await page.keyboard.press('ArrowLeft')
  const parent = await focused()
  assert.notEqual(parent, all.at(-1).id, 'left goes to the parent')
  await page.keyboard.press('ArrowLeft')
  await page.waitForURL(/fold=/)
  assert.equal(await page.locator(`[data-node="${parent}"]`).getAttribute('aria-expanded'), 'false')
  assert.equal(await focused(), parent, 'the focus stays on what was folded')
  await page.reload()
  await page.getByRole('tree').waitFor()
  assert.equal(await page.locator(`[data-node="${parent}"]`).getAttribute('aria-expanded'), 'false', 'the fold is in the address')
  await page.locator(`[data-node="${parent}"]`).focus()
  await page.keyboard.press('ArrowRight')
  await page.waitForURL((url) => !url.search.includes('fold='))
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await page.waitForURL(new RegExp(`node=${all[0].id}`))
  assert.equal(await page.locator('[role=treeitem][aria-selected=true]').getAttribute('data-node'), all[0].id)
})

test('weeks are stepped, Back returns, and a reload keeps week, comparison, split and node', async (t) => {
  const page = await signedIn(t)
  const { tree, weeks } = await lastWeeks(page)
  const split = tree.splits.at(-1).name
  await ready(page, `/review?week=${weeks.at(-2)}`)
  await page.getByRole('button', { name: 'Previous week' }).click()
  await page.waitForURL(new RegExp(`week=${weeks.at(-3)}`))
  await page.getByRole('button', { name: 'Next week' }).click()
  await page.waitForURL(new RegExp(`week=${weeks.at(-2)}`))
  await page.goBack()
  await page.waitForURL(new RegExp(`week=${weeks.at(-3)}`))
  await page.getByLabel('Compare with').selectOption('last_year')
  await page.waitForURL(/compare=last_year/)
  await page.getByLabel('Split by').selectOption(split)
  await page.waitForURL(new RegExp(`split=${split}`))
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null)
  await page.getByRole('treeitem').nth(1).click()
  await page.waitForURL(/node=/)
  const url = page.url()
  const value = await page.getByTestId('panel-value').innerText()
  await page.reload()
  await page.getByRole('tree').waitFor()
  assert.equal(page.url(), url)
  assert.equal(await page.getByTestId('panel-value').innerText(), value)
  assert.equal(await page.getByLabel('Compare with').inputValue(), 'last_year')
  assert.equal(await page.getByLabel('Split by').inputValue(), split)
})

test('Copy link gives this view again', async (t) => {
  const page = await signedIn(t)
  await ready(page)
  const week = await page.getByLabel('Week shown').inputValue()
  await page.getByRole('button', { name: 'Copy link' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  assert.equal(new URL(link).searchParams.get('week'), week)
})

test('a node leads to exactly its deals', async (t) => {
  const page = await signedIn(t)
  const { tree, weeks } = await lastWeeks(page)
  const told = await api(page, 'GET', `/trees/${tree.name}?week_of=${weeks.at(-1)}`)
  const node = told.nodes.find((each) => each.unit === 'count' && each.drill && each.now > 0)
  await ready(page, `/review?week=${weeks.at(-1)}&node=${encodeURIComponent(node.id)}`)
  await page.getByRole('link', { name: 'See the deals' }).click()
  await page.getByRole('heading', { name: 'Deals', level: 1 }).waitFor()
  await page.getByText(new RegExp(`^${node.now} deals? match$`)).waitFor()
  assert.ok(await page.getByRole('group', { name: 'Filters' }).getByRole('button', { name: /^Remove filter/ }).count() > 0, 'the filter is said in words')
  await page.goBack()
  await page.getByRole('tree').waitFor()
})

test('unfinished, undefined and small weeks say so', async (t) => {
  const page = await signedIn(t)
  const { tree, weeks } = await lastWeeks(page)
  const told = await api(page, 'GET', `/trees/${tree.name}?week_of=${weeks.at(-1)}`)
  const changed = structuredClone(told)
  Object.assign(changed, { provisional: true, provisional_reason: '320 changes are still on their way into the warehouse', warnings: ['3 deals in another currency are left out'] })
  Object.assign(changed.week, { complete: false, days_elapsed: 4 })
  const rate = changed.nodes.find((node) => node.unit === 'share')
  Object.assign(rate, { now: null, reason: 'no deal was decided in this week', contribution: null })
  changed.nodes.find((node) => node.unit === 'count').small_base = true
  await page.route('**/api/v1/trees/*?*', (route) => route.fulfill({ json: changed }))
  await ready(page, `/review?week=${weeks.at(-1)}&node=${encodeURIComponent(rate.id)}`)
  await page.getByText('320 changes are still on their way').waitFor()
  await page.getByText('3 deals in another currency are left out.').waitFor()
  await page.getByText('so far, 4 of 7 days').waitFor()
  await page.getByText('Not defined: no deal was decided in this week.').waitFor()
  assert.equal(await page.getByTestId('panel-value').innerText(), '—')
  await page.getByRole('treeitem', { name: /small base/ }).first().waitFor()
  await page.getByText(/after 4 of 7 days is/).waitFor()
  await clean(page, 'an unfinished week')
})

test('an empty workspace says why and what to do', async (t) => {
  const page = await signedIn(t)
  await page.route('**/api/v1/trees/*/weeks', (route) => route.fulfill({ json: { weeks: [] } }))
  await page.goto('/review')
  await page.getByText('There are no numbers yet').waitFor()
  await page.getByRole('link', { name: 'Import deals' }).click()
  await page.getByRole('heading', { name: 'Imports', level: 1 }).waitFor()
})
