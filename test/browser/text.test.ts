import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { DROP, MARKUP, newStage, type Stage, TURNED } from './stage.ts'
import { goTo, live, rows } from './watching.ts'

let stage: Stage
before(async () => {
  stage = await newStage()
  await stage.ask([DROP, { name: MARKUP, args: {} }, { name: TURNED, args: {} }])
})
after(() => stage.close())

/** Nothing of the page was made of the hostile name: no picture, no script that ran, no character that turns text. */
async function assertInert(page: Page, place: string): Promise<void> {
  const found = await page.evaluate(() => ({
    pictures: document.querySelectorAll('img, iframe, object, embed, script:not([src])').length,
    title: document.title,
    turned: [
      document.body.textContent ?? '',
      ...[...document.querySelectorAll('[title]')].map((each) => each.getAttribute('title')),
    ].some((text) => text?.includes('\u202e')),
  }))
  assert.deepEqual([found.pictures, found.turned], [0, false], place)
  assert.match(found.title, /Sallyport/, place)
}

test('[DASH-03] a tool name with markup, and one that is turned around, are text in every view', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  await page.getByText(`${MARKUP} not yet`, { exact: true }).waitFor() // the reason of a file
  await assertInert(page, 'overview')
  await goTo(page, '#/verdicts')
  await rows(page, 3)
  await page.locator('td.tool').getByText(MARKUP, { exact: true }).waitFor()
  await page.locator('td.tool').getByText('pay\\u{202e}gnp.exe', { exact: true }).waitFor()
  await assertInert(page, 'verdicts')
  await page.getByRole('row').filter({ hasText: MARKUP }).getByRole('button').click()
  await page.getByRole('dialog').getByText(MARKUP, { exact: true }).waitFor()
  await assertInert(page, 'detail')
  await page.keyboard.press('Escape')
  await goTo(page, '#/agents/growth/marketing')
  await page.locator('td.tool').getByText(MARKUP, { exact: true }).waitFor()
  await assertInert(page, 'agent')
  await goTo(page, '#/agents/growth/research')
  await page.getByText(`${MARKUP} not yet`, { exact: true }).waitFor()
  await assertInert(page, 'suspended agent')
  assert.deepEqual(faults, [])
})

test('[DASH-03] no address of the page names what is no DNS label', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  for (const hash of [
    '#/agents/growth/%3Cimg%20src=x%3E',
    '#/agents/../..',
    '#/agents/growth/x/y',
    '#javascript:alert(1)',
  ])
    await goTo(page, hash).then(async () => assert.equal(await page.locator('h1').textContent(), 'Overview', hash))
  const hrefs = await page.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))
  for (const href of hrefs)
    assert.match(href ?? '', /^#(?:main|\/(?:overview|verdicts|agents\/[a-z0-9-]+\/[a-z0-9-]+))$/)
  assert.deepEqual(faults, [])
})

test('[DASH-03] the rules of the page hold: no text becomes markup, nothing but its own files runs', async () => {
  const { page, faults } = await stage.open()
  await live(page)
  const refused = await page.evaluate(async () => {
    const tried: Record<string, boolean> = {}
    const throws = (name: string, work: () => void): void => {
      try {
        work()
        tried[name] = false
      } catch {
        tried[name] = true
      }
    }
    throws('innerHTML', () => {
      document.createElement('div').innerHTML = '<b>x</b>'
    })
    // in a turn of the page's own: what a debugger runs itself is let through
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        // biome-ignore lint/security/noGlobalEval: what must not work
        throws('eval', () => void eval('1'))
        resolve()
      }),
    )
    throws('another policy', () => {
      // the standard's name, which TypeScript's DOM does not know yet
      const types = (globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } })
        .trustedTypes
      types.createPolicy('mine', {})
    })
    const script = document.createElement('script')
    throws('script of a text', () => {
      script.text = 'document.title = "run"'
    })
    const style = document.createElement('style')
    style.textContent = 'body { display: none }'
    document.head.append(style)
    tried['style'] = getComputedStyle(document.body).display !== 'none'
    tried['other host'] = await fetch('http://127.0.0.1:1/').then(
      () => false,
      () => true,
    )
    return tried
  })
  assert.deepEqual(
    Object.entries(refused).filter(([, held]) => !held),
    [],
  )
  assert.ok(
    faults.some((fault) => fault.includes('connect-src')) && faults.some((fault) => fault.includes('style-src')),
  )
})
