/** The browser of the tests: Debian's Chromium, driven by playwright-core. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** CHROMIUM, else the first that PATH has; null = there is none. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | null {
  const given = env['CHROMIUM']
  const dirs = (env['PATH'] ?? '').split(delimiter)
  const places = given === undefined ? NAMES.flatMap((name) => dirs.map((dir) => join(dir, name))) : [given]
  return places.find(canRun) ?? null
}

/** Starts it. `relay`: what is asked of the first port goes to the second. */
export async function startChromium(relay?: { readonly from: number; readonly to: number }): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error('no Chromium: set CHROMIUM, or install Debian’s chromium')
  const rules = relay === undefined ? [] : [`--host-resolver-rules=MAP 127.0.0.1:${relay.from} 127.0.0.1:${relay.to}`]
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return await chromium.launch({
    executablePath,
    args: [...root, '--disable-gpu', '--disable-dev-shm-usage', ...rules],
  })
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
