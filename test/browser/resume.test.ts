import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AGENT, DROP, newStage, SEARCH, type Stage } from './stage.ts'
import { goTo, live, rowIds, rows } from './watching.ts'

let stage: Stage
before(async () => {
  stage = await newStage()
})
after(() => stage.close())

/** All ids on record, newest first. */
async function recorded(): Promise<readonly string[]> {
  const { running } = stage
  const answer = await fetch(`${running.ready.admin}/v1/verdicts`, {
    headers: { authorization: `Bearer ${running.ready.adminToken}` },
  })
  const lines = (await answer.text()).trim().split('\n')
  return lines.map((line): string => JSON.parse(line).id).reverse()
}

test('[DASH-06] a stream that is cut goes on where it was: no verdict is missing and none comes twice', async () => {
  await stage.ask([SEARCH])
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, '#/verdicts')
  await rows(page, 1)
  for (let round = 1; round <= 3; round += 1) {
    stage.relay.cut()
    await page.locator('.connection', { hasText: 'Reconnecting…' }).waitFor()
    await stage.ask([SEARCH, DROP, SEARCH])
    stage.relay.mend()
    await live(page)
    await stage.ask([DROP])
    await rows(page, 1 + round * 4)
    assert.deepEqual(await rowIds(page), await recorded(), `round ${round}`)
  }
  assert.deepEqual(faults, [])
})

test('[DASH-06] what became of an agent while the stream was cut is there after it', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, `#/agents/${AGENT}`)
  stage.relay.cut()
  await page.locator('.connection', { hasText: 'Reconnecting…' }).waitFor()
  await stage.cli('quarantine', AGENT, '--reason', 'meanwhile')
  stage.relay.mend()
  await page.locator('h1', { hasText: 'Quarantined' }).waitFor()
  assert.deepEqual(faults, [])
})
