/** What tests look at on a page. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ROOT } from '../fixtures/run-cli.ts'

const MAX_PICTURE_BYTES = 150 * 1024

/** Waits until the page follows the process. */
export async function live(page: Page): Promise<void> {
  await page.locator('.connection', { hasText: 'Live' }).waitFor({ timeout: 10_000 })
}

/** Goes to a view, as a link of the page does. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to
  }, hash)
  await page.locator('main h1').waitFor()
}

/** The ids of the rows, from the top down. */
export function rowIds(page: Page): Promise<readonly string[]> {
  return page
    .locator('table.verdicts tbody tr')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-id') ?? ''))
}

/** Waits until the table has that many rows. */
export async function rows(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelectorAll('table.verdicts tbody tr').length === wanted,
    count,
    { timeout: 10_000 },
  )
}

/** Words of the focused element: its text or its label. */
export function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement
    return element?.getAttribute('aria-label') ?? element?.textContent?.trim().replace(/\s+/g, ' ') ?? ''
  })
}

/** A picture for the docs: written when it is not there, or when SCREENSHOTS asks for it, so that a run leaves the tree as it was. */
export async function picture(page: Page, name: string): Promise<void> {
  const dir = join(ROOT, 'docs/screenshots')
  const path = join(dir, `${name}.png`)
  const bytes = await page.screenshot({ animations: 'disabled', caret: 'hide' })
  assert.ok(bytes.length <= MAX_PICTURE_BYTES, `${name}: ${bytes.length} bytes`)
  if (existsSync(path) && process.env['SCREENSHOTS'] === undefined) return
  mkdirSync(dir, { recursive: true })
  writeFileSync(path, bytes)
}

/** Texts whose contrast with what is behind them is below 4.5:1 (WCAG 2.1, 1.4.3), with their ratio. */
export function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    if (canvas === null) throw new Error('no canvas')
    const rgba = (colour: string): readonly number[] => {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
      return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const luminance = ([red = 0, green = 0, blue = 0]: readonly number[]): number => {
      const linear = (channel: number): number =>
        channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
    const behind = (element: Element | null): readonly number[] => {
      if (element === null) return rgba('Canvas')
      const colour = rgba(getComputedStyle(element).backgroundColor)
      return colour[3] === 0 ? behind(element.parentElement) : colour
    }
    const faint: string[] = []
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim() !== '')
      if (!own || !element.checkVisibility() || element.matches('.unseen, :disabled')) continue
      const [above, below] = [luminance(rgba(getComputedStyle(element).color)), luminance(behind(element))]
      const ratio = (Math.max(above, below) + 0.05) / (Math.min(above, below) + 0.05)
      if (ratio < 4.5) faint.push(`${element.textContent?.trim().slice(0, 40)} ${ratio.toFixed(2)}`)
    }
    return faint
  })
}
