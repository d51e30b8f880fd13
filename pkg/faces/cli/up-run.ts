import { type Log, newLog } from '#pkg/platform/log'
import { defaultDataDir, type UpSettings } from '#pkg/platform/settings'
import { hintsOf } from './called-as.ts'
import { printable } from './escape.ts'
import { humanSink } from './human-log.ts'
import type { CliDeps, Context } from './ports.ts'
import { readyLine, readyText } from './ready.ts'
import { whereOf } from './target.ts'
import { startUp } from './up-start.ts'

/** How long exchanges that are open may go on after the first signal. */
const DRAIN_MS = 10_000

const SIMULATED = 'The providers are simulated: prepared answers, no key and no cost. Ask for a haiku.\n'

/**
 * Starts everything, says so, and runs until a signal; drains then.
 * @throws SallyportError RESOURCE_INVALID, UNREACHABLE, STATE_UNAVAILABLE, SETTINGS_INVALID
 */
export async function runUp({ deps, program }: Context, settings: UpSettings): Promise<void> {
  const signals = listenForEnd(deps)
  const isJson = settings.output === 'json'
  const log = newLog({ level: settings.logLevel, ...(isJson ? {} : { write: humanSink(process.stderr) }) })
  try {
    const running = await startUp(deps.version, settings, log, (made) => sayMade(deps, log, isJson, made))
    const { standalone, admin } = running
    const hint = hintsOf(program, whereOf(settings.dataDir, defaultDataDir(await deps.env())))
    const ready = { ...admin, facade: standalone.facade, standalone, hint }
    if (isJson) log.info('ready', { facade: ready.facade, admin: ready.url })
    await deps.stdout(isJson ? readyLine(ready) : readyText(ready))
    if (settings.simulate && !isJson) deps.stderr(SIMULATED)
    for (const { code, message } of standalone.warnings())
      if (isJson) log.warn('advice', { code, message })
      else deps.stderr(`warning: ${code}: ${printable(message)}\n`)
    const signal = await signals.first
    log.info('draining', { signal, drainMs: DRAIN_MS })
    await running.close(DRAIN_MS)
    log.info('ended')
  } finally {
    signals.stop()
  }
}

/** What is new on the disk: nobody should have to look for it. */
function sayMade(deps: CliDeps, log: Log, isJson: boolean, made: readonly string[]): void {
  for (const path of made)
    if (isJson) log.info('made', { path })
    else deps.stderr(`made ${printable(path)}\n`)
}

/** The first signal ends in order, the second at once. */
function listenForEnd(deps: CliDeps): { readonly first: Promise<string>; stop(): void } {
  let told = (_signal: string): void => {}
  let count = 0
  const first = new Promise<string>((resolve) => {
    told = resolve
  })
  const stop = deps.onSignal((signal) => {
    count += 1
    if (count > 1) deps.exitNow(signal === 'SIGINT' ? 130 : 143)
    told(signal)
  })
  return { first, stop }
}
