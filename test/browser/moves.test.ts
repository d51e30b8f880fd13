import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { AGENT, newStage, SEARCH, type Stage } from './stage.ts'
import { goTo, live } from './watching.ts'

type Agent = {
  readonly state: string
  readonly epoch: number
  readonly holds: readonly { readonly reason?: string; readonly by?: string }[]
}

let stage: Stage
before(async () => {
  stage = await newStage()
})
after(() => stage.close())

const known = (): Promise<Agent> => stage.cli<Agent>('agents', AGENT)

async function move(page: Page, verb: string, reason: string): Promise<void> {
  await page.getByRole('button', { name: `${verb}…` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill(reason)
  await dialog.getByRole('button', { name: verb, exact: true }).click()
  await page.locator('.done', { hasText: `${verb}:` }).waitFor()
  await dialog.waitFor({ state: 'detached' })
}

test('[DASH-05] an agent is quarantined and released from the page, by name and reason, and the command line agrees', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, `#/agents/${AGENT}`)
  await page.getByText('spiffe://sallyport.local/ns/growth/agent/marketing').waitFor()
  await page.getByText(/\(4 min \d+ s\)/).waitFor()
  await move(page, 'quarantine', 'odd <b>SQL</b>')
  await page.locator('.done', { hasText: 'Active → Quarantined, epoch 2; 1 of 1 sidecars have followed' }).waitFor()
  await page.locator('h1', { hasText: 'Quarantined' }).waitFor()
  await page.getByRole('cell', { name: 'odd <b>SQL</b>' }).waitFor()
  await page.getByText('None while the agent is Quarantined.').waitFor()
  const held = await known()
  assert.deepEqual(
    [held.state, held.epoch, held.holds[0]?.reason, held.holds[0]?.by],
    ['Quarantined', 2, 'odd <b>SQL</b>', 'dashboard'],
  )

  await move(page, 'release', 'was a test')
  await page.locator('h1', { hasText: 'Active' }).waitFor()
  assert.equal((await known()).state, 'Active')
  await stage.ask([SEARCH]) // and it may act again
  await page.locator('table.verdicts tbody tr', { hasText: 'search_docs' }).waitFor()

  await move(page, 'suspend', 'for longer')
  assert.equal((await known()).state, 'Suspended')
  await move(page, 'reinstate', 'fit again')
  assert.equal((await known()).state, 'Active')
  assert.deepEqual(faults, [])
})

test('[DASH-06] what the process has not told yet is asked for, and shown as no zero', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/v1/agents', async (route) => {
    await held
    await route.continue()
  })
  await page.reload()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.equal(await page.getByText('Asking…').count(), 3)
  assert.equal(await page.locator('.count').count(), 0)
  letGo()
  await page.locator('.count').first().waitFor()
  assert.equal(await page.getByText('Asking…').count(), 0)
  assert.deepEqual(faults, [])
})

test('[DASH-05] a move wants a reason, Escape leaves it undone, and what is refused is said in words', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await goTo(page, `#/agents/${AGENT}`)
  const { epoch } = await known()
  await page.getByRole('button', { name: 'quarantine…' }).click()
  const dialog = page.getByRole('dialog')
  for (const reason of ['', '   ']) {
    await dialog.getByLabel('Reason').fill(reason)
    await dialog.getByRole('button', { name: 'quarantine', exact: true }).click()
  }
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.equal((await known()).epoch, epoch)

  await goTo(page, '#/agents/growth/research')
  await page.getByRole('button', { name: 'reinstate…' }).click()
  await dialog.getByLabel('Reason').fill('try')
  await dialog.getByRole('button', { name: 'reinstate', exact: true }).click()
  await dialog.getByRole('alert').filter({ hasText: 'MOVE_OVERRIDDEN' }).waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual(faults, [])
})

test('[DASH-05] a release covers what the person saw: a hold that was raised meanwhile stays', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await stage.cli('quarantine', AGENT, '--reason', 'first')
  await goTo(page, `#/agents/${AGENT}`)
  await page.getByRole('button', { name: 'release…' }).click()
  await stage.cli('suspend', AGENT, '--reason', 'second')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('looked at it')
  await dialog.getByRole('button', { name: 'release', exact: true }).click()
  await dialog.getByRole('alert').or(page.locator('.done')).first().waitFor()
  assert.equal((await known()).state, 'Suspended')
  await page.keyboard.press('Escape')
  await page.locator('h1', { hasText: 'Suspended' }).waitFor() // told by the stream
  await stage.cli('reinstate', AGENT, '--reason', 'done')
  await page.locator('h1', { hasText: 'Active' }).waitFor()
  assert.deepEqual(faults, [])
})
