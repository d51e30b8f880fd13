import { mkdirSync } from 'node:fs'
import { type AgentKey, DEFAULT_TRUST_DOMAIN, type Snapshot, type Standing } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { silentMetrics } from '#pkg/platform/metrics'
import { openVerdictLog } from '#pkg/systems/audit'
import { openTokens } from '#pkg/systems/identity'
import { openLifecycle } from '#pkg/systems/lifecycle'
import { openObserved } from '#pkg/systems/observed'
import { countedAudit } from './counted.ts'
import { type Identity, openIdentity } from './identity.ts'
import { newLogAudit } from './log-audit.ts'
import type { StandaloneDeps, StandaloneOptions } from './ports.ts'

/** What lasts beyond the process. */
export type Stores = ReturnType<typeof openStores>

/** Opens what stands in the data folder, and makes what is missing. @throws SallyportError STATE_UNAVAILABLE */
export function openStores(
  deps: StandaloneDeps,
  { dataDir, trustDomain = DEFAULT_TRUST_DOMAIN, limits }: StandaloneOptions,
  snapshotOf: (agent: AgentKey) => Snapshot | null,
) {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new SallyportError('STATE_UNAVAILABLE', `the data folder cannot be made: ${dataDir}`, { cause })
  }
  const metrics = deps.metrics ?? silentMetrics
  const audit = countedAudit(newLogAudit(deps), metrics)
  const thaw = (agent: AgentKey, epoch: number): Promise<boolean> => identity.thaw(agent, epoch)
  const lives = openLifecycle({ ...deps, audit, thaw }, { dataDir })
  const opened: (() => void | Promise<void>)[] = [() => lives.close()]
  const standingOf = (agent: AgentKey): Standing | null => lives.standingOf(agent)
  let identity: Identity
  try {
    identity = openIdentity(
      { ...deps, audit, metrics, standingOf, snapshotOf },
      { dataDir, trustDomain, waitMs: limits.identityWaitMs },
    )
    opened.push(() => identity.close())
    const tokens = openTokens(deps, { dataDir })
    const verdicts = openVerdictLog(deps, { dataDir })
    opened.push(() => verdicts.close())
    const notes = openObserved(deps, { dataDir })
    opened.push(() => notes.close())
    return {
      lives,
      tokens,
      verdicts,
      notes,
      identity,
      close: async () => {
        for (const shut of opened.reverse()) await shut()
      },
    }
  } catch (error) {
    for (const shut of opened) void shut()
    throw error
  }
}
