import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { VerdictRecord } from '#pkg/model'
import { recordOf } from '../fixtures/admin-source.ts'
import { AGENT, DROP, MARKUP, newStage, READ, SEARCH, type Stage } from './stage.ts'
import { faintTexts, focused, goTo, live, picture, rows } from './watching.ts'

let stage: Stage
before(async () => {
  stage = await newStage(tenMinutes(Date.now()))
  await stage.ask([SEARCH, READ, DROP, { name: MARKUP, args: {} }])
})
after(() => stage.close())

/** Verdicts of the ten minutes before, as an afternoon of a marketing agent leaves them. */
function tenMinutes(nowMs: number): readonly VerdictRecord[] {
  return Array.from({ length: 80 }, (_each, at) => {
    const refused = at % 7 === 3
    const severed = at === 52
    const more: Partial<VerdictRecord> = {
      id: `v_history${String(at).padStart(3, '0')}`,
      time: new Date(nowMs - 580_000 + at * 7_000 - (at % 5) * 900).toISOString(),
      us: 180 + ((at * 37) % 240),
      epoch: 1,
      generation: 1,
    }
    if (severed) return recordOf(at, { ...more, action: 'Sever' })
    if (refused && at % 2 === 0) return recordOf(at, more)
    if (refused) return recordOf(at, { ...more, tool: 'send_mail', reasons: ['TOOL_NOT_GRANTED'], check: 'grant' })
    const fine = { reasons: [], check: null, policy: null, rule: null, message: '' } as const
    const action = at % 11 === 5 ? 'Record' : 'Allow'
    return recordOf(at, { ...more, ...fine, action, tool: at % 3 === 0 ? 'run_sql' : 'search_docs' })
  })
}

/** Presses Tab until an element of that name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = []
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab')
    const at = await focused(page)
    if (at === name) return
    passed.push(at)
  }
  assert.fail(`Tab never came to "${name}": ${passed.join(' | ')}`)
}

test('[DASH-07] everything is done by keyboard: from the skip link to a quarantine and back', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'Skip to the content')
  assert.ok(
    await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle !== 'none'),
  )
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
  await tabTo(page, AGENT)
  await page.keyboard.press('Enter')
  await page.locator('h1', { hasText: AGENT }).waitFor()
  assert.match(await focused(page), /growth\/marketing/) // the heading of the new view

  await tabTo(page, 'quarantine…')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.type('by keyboard')
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'quarantine')
  await page.keyboard.press('Enter')
  await page.locator('h1', { hasText: 'Quarantined' }).waitFor()
  await tabTo(page, 'release…')
  await page.keyboard.press('Space')
  await page.keyboard.type('by keyboard again')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.locator('h1', { hasText: 'Active' }).waitFor()

  await goTo(page, '#/verdicts')
  await rows(page, 84)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SELECT')
  const id = await page.locator('table.verdicts tbody tr').first().getAttribute('data-id')
  await tabTo(page, `Details of verdict ${id}`)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  assert.equal(await focused(page), 'Close')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal(await focused(page), `Details of verdict ${id}`, 'the focus goes back to where it was')
  assert.deepEqual(faults, [])
})

test('[DASH-07] the page says what it is to those who do not see it', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  for (const [role, name] of [
    ['navigation', 'Views'],
    ['table', 'Agents'],
    ['img', /^Verdicts each 10 seconds: \d+ allowed/],
    ['table', 'Refused last'],
  ] as const)
    await page.getByRole(role, { name }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Overview' }).getAttribute('aria-current'), 'page')
  assert.equal(await page.locator('.connection').getAttribute('aria-live'), 'polite')
  const unnamed = await page
    .locator('button, a, input, select, textarea')
    .evaluateAll((all) =>
      all
        .filter(
          (each) =>
            (each.getAttribute('aria-label') ?? each.textContent ?? '').trim() === '' && each.closest('label') === null,
        )
        .map((each) => each.outerHTML),
    )
  assert.deepEqual(unnamed, [])
  assert.deepEqual(faults, [])
})

for (const colorScheme of ['light', 'dark'] as const)
  test(`[DASH-07] ${colorScheme}: every text stands out by 4.5:1, at 400 px nothing sticks out`, async () => {
    const { page, faults } = await stage.open({ colorScheme, reducedMotion: 'reduce' })
    await live(page)
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    assert.equal(dark === 'rgb(255, 255, 255)', colorScheme === 'light')
    for (const [view, hash] of [
      ['overview', '#/overview'],
      ['verdicts', '#/verdicts'],
      ['agent', `#/agents/${AGENT}`],
    ] as const) {
      await goTo(page, hash)
      if (view === 'agent') await page.getByText('spiffe://').first().waitFor()
      if (view !== 'overview') await rows(page, view === 'agent' ? 50 : 84)
      else await page.locator('.chart canvas').waitFor()
      assert.deepEqual(await faintTexts(page), [], view)
      if ((view === 'verdicts') === (colorScheme === 'dark')) await picture(page, `dashboard-${view}`)
      await page.setViewportSize({ width: 400, height: 800 })
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400, `${view} at 400 px`)
      if (view === 'verdicts' && colorScheme === 'light') await picture(page, 'dashboard-narrow')
      await page.setViewportSize({ width: 1_000, height: 680 })
    }
    await page.getByRole('button', { name: 'quarantine…' }).click()
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(await faintTexts(page), [], 'dialog')
    const moving = await page.evaluate(
      () => getComputedStyle(document.querySelector('button') ?? document.body).transitionDuration,
    )
    assert.equal(moving, '0s')
    assert.deepEqual(faults, [])
  })
