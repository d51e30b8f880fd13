/**
 * The dashboard in a real browser.
 *
 *   node test/browser/run.ts [--screenshots]      --screenshots: writes docs/screenshots anew
 *
 * Exit 69 where there is no Chromium, else that of the tests.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildDashboard } from '../../scripts/build-dashboard.ts'
import { ROOT } from '../fixtures/run-cli.ts'
import { findChromium } from './chromium.ts'

const chromium = findChromium()
if (chromium === null) {
  console.error('test-browser needs Chromium: install it (Debian: chromium), or set CHROMIUM to its program')
  process.exit(69)
}
await buildDashboard(join(ROOT, 'out/dashboard'))
const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test/browser', name))
const screenshots = process.argv.includes('--screenshots') ? { SCREENSHOTS: 'write' } : {}
const ran = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=120000', ...files], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, CHROMIUM: chromium, ...screenshots },
})
process.exit(ran.status ?? 1)
