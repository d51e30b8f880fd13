import { randomBytes } from 'node:crypto'
import { type Admin, assertSocketFree, startAdmin } from '#pkg/faces/admin'
import { type Standalone, startStandalone } from '#pkg/planes/standalone'
import { systemClock } from '#pkg/platform/clock'
import { newLog } from '#pkg/platform/log'
import { defaultDataDir, type UpSettings } from '#pkg/platform/settings'
import { hintsOf } from './called-as.ts'
import { printable } from './escape.ts'
import { humanSink } from './human-log.ts'
import type { CliDeps, Context } from './ports.ts'
import { readyLine, readyText } from './ready.ts'
import { socketPathOf, whereOf } from './target.ts'

/** How long exchanges that are open may go on after the first signal. */
const DRAIN_MS = 10_000

/** Both listeners of a running process. */
type Running = { readonly standalone: Standalone; readonly admin: Admin }

/**
 * Starts everything, says so, and runs until a signal; drains then.
 * @throws SallyportError RESOURCE_INVALID, UNREACHABLE, STATE_UNAVAILABLE, SETTINGS_INVALID
 */
export async function runUp({ deps, program }: Context, settings: UpSettings): Promise<void> {
  const signals = listenForEnd(deps)
  const isJson = settings.output === 'json'
  const log = newLog({ level: settings.logLevel, ...(isJson ? {} : { write: humanSink(process.stderr) }) })
  try {
    const running = await start(deps, settings, log)
    const { standalone, admin } = running
    const hint = hintsOf(program, whereOf(settings.dataDir, defaultDataDir(await deps.env())))
    const ready = { ...admin, facade: standalone.facade, standalone, hint }
    if (isJson) log.info('ready', { facade: ready.facade, admin: ready.url })
    await deps.stdout(isJson ? readyLine(ready) : readyText(ready))
    for (const { code, message } of standalone.warnings())
      if (isJson) log.warn('advice', { code, message })
      else deps.stderr(`warning: ${code}: ${printable(message)}\n`)
    const signal = await signals.first
    log.info('draining', { signal, drainMs: DRAIN_MS })
    await running.standalone.close(DRAIN_MS)
    await running.admin.close()
    log.info('ended')
  } finally {
    signals.stop()
  }
}

async function start(deps: CliDeps, settings: UpSettings, log: ReturnType<typeof newLog>): Promise<Running> {
  const socketPath = socketPathOf(settings.dataDir)
  await assertSocketFree(socketPath) // two processes on one data folder would write over each other's state
  const random = (bytes: number): Uint8Array => randomBytes(bytes)
  const room = { clock: systemClock, log, random }
  let adminUrl: string | null = null
  const standalone = await startStandalone(
    { ...room, controlPlane: () => adminUrl },
    {
      policiesDir: settings.policies,
      dataDir: settings.dataDir,
      port: settings.port,
      upstreams: Object.entries(settings.upstreams).map(([name, url]) => ({ name, url, key: keyOf(settings, name) })),
      serverUrls: settings.mcp,
      peerUrls: settings.a2a,
      trustDomain: settings.trustDomain,
      calledUrls: settings.a2aServer,
      upstreamHttp2: settings.upstreamHttp2,
      hostAddresses: settings.egressAddresses,
      limits: settings.limits,
    },
  )
  try {
    const admin = await startAdmin(
      { ...room, source: standalone },
      { port: settings.adminPort, socketPath, version: deps.version },
    )
    adminUrl = admin.url
    return { standalone, admin }
  } catch (error) {
    await standalone.close(0)
    throw error
  }
}

function keyOf(settings: UpSettings, provider: string): string | null {
  const keys: Readonly<Record<string, UpSettings['openaiKey']>> = {
    openai: settings.openaiKey,
    'openai-compatible': settings.openaiCompatibleKey,
    anthropic: settings.anthropicKey,
    gemini: settings.geminiKey,
  }
  return keys[provider]?.reveal() ?? null
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
