import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SALLYCTL, spawned } from '../fixtures/run-cli.ts'
import { newStage, openAt, type Stage } from './stage.ts'
import { live } from './watching.ts'

let stage: Stage
before(async () => {
  stage = await newStage()
})
after(() => stage.close())

test('[DASH-02] a link works once, leaves the address bar at once, and its session is of that tab alone', async () => {
  const { url } = await stage.cli<{ url: string }>('dashboard')
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/dashboard\/#code=sp_dc_[A-Za-z0-9_-]{43}$/)
  const { page, faults } = await openAt(stage.browser, url)
  await live(page)
  assert.equal(new URL(page.url()).hash, '#/overview')
  assert.equal(await page.evaluate(() => history.length), 2, 'the address with the code is replaced')
  await page.reload()
  await live(page)
  assert.deepEqual(await page.context().cookies(), [])
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [
    [],
    ['sallyport-session'],
  ])

  const again = await openAt(stage.browser, url)
  await again.page.getByRole('alert').filter({ hasText: 'ADMIN_UNAUTHORIZED: the code was used already' }).waitFor()
  assert.equal(new URL(again.page.url()).hash, '#/overview')
  const tab = await page.context().newPage()
  await tab.goto(page.url())
  await tab.getByText('sallyctl dashboard', { exact: true }).waitFor()
  assert.deepEqual([faults, again.faults], [[], []])
})

test('[DASH-02] another link in the same tab goes on with a session of its own', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  const before = await page.evaluate(() => sessionStorage.getItem('sallyport-session'))
  const { url } = await stage.cli<{ url: string }>('dashboard')
  await page.goto(url)
  await page.waitForFunction((old) => {
    const now = sessionStorage.getItem('sallyport-session')
    return now !== null && now !== old
  }, before)
  await live(page)
  assert.deepEqual(faults, [])
})

test('[DASH-02] a session that is over opens nothing, and the page says what to do', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await page.evaluate(() => sessionStorage.setItem('sallyport-session', 'sp_das_of_a_process_that_is_gone'))
  await page.reload()
  await page.getByRole('alert').filter({ hasText: 'The session is over' }).waitFor()
  assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  assert.deepEqual(faults, [])
})

test('[DASH-02] the verb asks over the socket alone, and prints the address for a person', async () => {
  const { running } = stage
  const ran = await spawned(SALLYCTL, ['dashboard', '--no-open', '--data', running.dataDir])
  assert.equal(ran.status, 0, ran.err)
  assert.match(ran.out, /^http:\/\/127\.0\.0\.1:\d+\/dashboard\/#code=\S+\n$/)
  assert.match(ran.err, /works once, within 60 s/)
  const remote = await spawned(SALLYCTL, ['dashboard', '--address', running.ready.admin], {
    env: { SALLYPORT_ADMIN_TOKEN: running.ready.adminToken },
  })
  assert.equal(remote.status, 77)
  assert.match(remote.err, /ADMIN_FORBIDDEN: --address: .*give --data/)
})
