import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AGENT, DROP, newStage, READ, SEARCH, type Stage } from './stage.ts'
import { goTo, live, rowIds, rows } from './watching.ts'

type Verdict = { readonly id: string; readonly time: string; readonly action: string }

let stage: Stage
before(async () => {
  stage = await newStage()
})
after(() => stage.close())

const newest = async (): Promise<Verdict> => await stage.cli<Verdict>('verdicts', '--limit', '1')

test('[DASH-04] a verdict is a row within a second, and its details are all that is on record', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, '#/verdicts')
  for (const call of [SEARCH, DROP]) {
    const seen = page.evaluate(
      (before) =>
        new Promise<number>((resolve) => {
          const look = (): void => {
            if (document.querySelectorAll('table.verdicts tbody tr').length > before) resolve(Date.now())
            else requestAnimationFrame(look)
          }
          look()
        }),
      (await rowIds(page)).length,
    )
    await stage.ask([call])
    const tookMs = (await seen) - Date.parse((await newest()).time)
    assert.ok(tookMs <= 1_000, `${tookMs} ms`)
  }
  const { id } = await newest()
  assert.equal((await rowIds(page))[0], id)
  await page.locator('table.verdicts tbody tr').first().locator('td.reason').click()
  const dialog = page.getByRole('dialog')
  const text = (await dialog.textContent()) ?? ''
  for (const part of [
    id,
    'INTENT_SQL_DDL',
    'Deny',
    'run_sql',
    AGENT,
    'openai-chat',
    'FromModel',
    `sallyctl policy explain ${id}`,
  ])
    assert.ok(text.includes(part), part)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
})

test('[DASH-04] filters by agent, action, reason and tool leave what fits, together', async () => {
  await stage.ask([SEARCH, READ, DROP])
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, '#/verdicts')
  const all = (await rowIds(page)).length
  const texts = (): Promise<readonly string[]> => page.locator('table.verdicts tbody tr').allInnerTexts()
  await page.getByLabel('Action').selectOption('Deny')
  await page.waitForFunction(() => document.querySelector('table')?.textContent?.includes('search_docs') === false)
  assert.ok((await texts()).every((text) => text.includes('Deny')))
  await page.getByLabel('Reason').selectOption('INTENT_SQL_DDL')
  await page.getByLabel('Agent').selectOption(AGENT)
  await page.getByLabel('Tool').fill('RUN_')
  assert.ok((await texts()).every((text) => text.includes('run_sql') && text.includes('INTENT_SQL_DDL')))
  await page.getByLabel('Tool').fill('no such tool')
  await page.getByText('No verdict fits the filter.').waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await rows(page, all)
  assert.equal(await page.getByLabel('Tool').inputValue(), '')
  assert.deepEqual(faults, [])
})

test('[DASH-04] a pause holds the table and counts what waits; resume shows it', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, '#/verdicts')
  const before = await rowIds(page)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.locator('.connection', { hasText: 'Paused' }).waitFor()
  await stage.ask([SEARCH, DROP])
  await page.getByRole('button', { name: 'Resume (2 waiting)' }).waitFor()
  assert.deepEqual(await rowIds(page), before)
  await page.getByRole('button', { name: 'Resume' }).click()
  await rows(page, before.length + 2)
  assert.deepEqual((await rowIds(page)).slice(2), before)
  assert.deepEqual(faults, [])
})

test('[DASH-04] however many there are, 100 rows are rendered, and the others are a step away', async () => {
  const many = Array.from({ length: 30 }, () => SEARCH)
  for (let round = 0; round < 5; round += 1) await stage.ask(many)
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, '#/verdicts')
  await rows(page, 100)
  const first = await rowIds(page)
  await page.getByRole('button', { name: 'Older' }).click()
  await page.getByText(/^101–\d+ of \d+$/).waitFor()
  const second = await rowIds(page)
  assert.ok(second.length > 40 && second.length <= 100)
  assert.deepEqual(
    second.filter((id) => first.includes(id)),
    [],
  )
  await page.getByRole('button', { name: 'Newer' }).click()
  await rows(page, 100)
  assert.deepEqual(faults, [])
})
