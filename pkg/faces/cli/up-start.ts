import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { ADMIN_SOCKET, type Admin, ROUTE_LABELS, startAdmin } from '#pkg/faces/admin'
import { dialectNames, makeDataFolder, type Standalone, startSimulated, startStandalone } from '#pkg/planes/standalone'
import { systemClock } from '#pkg/platform/clock'
import type { Log } from '#pkg/platform/log'
import { openMetrics } from '#pkg/platform/metrics'
import type { UpSettings } from '#pkg/platform/settings'
import { assertSocketFree, assertSocketPath } from '#pkg/platform/socket'
import { ensureStarter } from './starter.ts'
import { socketPathOf } from './target.ts'

/** A running process. */
export type Started = {
  readonly standalone: Standalone
  readonly admin: Admin
  readonly policiesDir: string
  /** Lets open exchanges end for that long, then stops everything. */
  close(drainMs: number): Promise<void>
}

/**
 * Starts both listeners; with no folder of policies on the starter of the data folder. `sayMade` is told the folders and files
 * that were not there before, also when the start fails after that.
 * @throws SallyportError RESOURCE_INVALID, UNREACHABLE, STATE_UNAVAILABLE
 */
export async function startUp(
  version: string,
  settings: UpSettings,
  log: Log,
  sayMade: (paths: readonly string[]) => void,
): Promise<Started> {
  const { dataDir } = settings
  const socketPath = socketPathOf(dataDir)
  const newData = existsSync(dataDir) ? [] : [dataDir]
  assertSocketPath(socketPath, ADMIN_SOCKET)
  makeDataFolder(dataDir)
  await assertSocketFree(socketPath, ADMIN_SOCKET) // two processes on one data folder would write over each other's state
  const starter = settings.policies === null ? ensureStarter(dataDir) : { dir: settings.policies, made: [] }
  sayMade([...newData, ...starter.made])
  const metrics = openMetrics({ dialects: dialectNames(), routes: ROUTE_LABELS, versions: [version] })
  const room = { metrics, clock: systemClock, log, random: (bytes: number): Uint8Array => randomBytes(bytes) }
  const start = settings.simulate ? startSimulated : startStandalone
  let adminUrl: string | null = null
  const standalone = await start(
    { ...room, controlPlane: () => adminUrl },
    {
      policiesDir: starter.dir,
      dataDir,
      port: settings.port,
      upstreams: Object.entries(settings.upstreams).map(([name, url]) => ({ name, url, key: keyOf(settings, name) })),
      serverUrls: settings.mcp,
      peerUrls: settings.a2a,
      calledUrls: settings.a2aServer,
      trustDomain: settings.trustDomain,
      workloadSockets: settings.workloadSockets,
      upstreamHttp2: settings.upstreamHttp2,
      hostAddresses: settings.egressAddresses,
      limits: settings.limits,
    },
  )
  try {
    const admin = await startAdmin({ ...room, source: standalone }, { port: settings.adminPort, socketPath, version })
    adminUrl = admin.url
    const close = async (drainMs: number): Promise<void> => {
      await standalone.close(drainMs)
      await admin.close()
      metrics.close()
    }
    return { standalone, admin, policiesDir: starter.dir, close }
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
