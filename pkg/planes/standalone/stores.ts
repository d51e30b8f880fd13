import { type AgentKey, DEFAULT_TRUST_DOMAIN, type Snapshot, type Standing } from '#pkg/model'
import { silentMetrics } from '#pkg/platform/metrics'
import { openAuditLog } from '#pkg/systems/audit'
import { openTokens } from '#pkg/systems/identity'
import { lockFolder, openLifecycle } from '#pkg/systems/lifecycle'
import { openObserved } from '#pkg/systems/observed'
import { countedAudit } from './counted.ts'
import { makeDataFolder } from './data-folder.ts'
import { type Identity, openIdentity } from './identity.ts'
import type { StandaloneDeps, StandaloneOptions } from './ports.ts'

/** What lasts beyond the process. */
export type Stores = ReturnType<typeof openStores>

/** Opens what stands in the data folder, and makes what is missing. @throws SallyportError STATE_UNAVAILABLE */
export function openStores(
  deps: StandaloneDeps,
  { dataDir, trustDomain = DEFAULT_TRUST_DOMAIN, limits }: StandaloneOptions,
  snapshotOf: (agent: AgentKey) => Snapshot | null,
) {
  makeDataFolder(dataDir)
  const lock = lockFolder(dataDir) // before anything is written: another process may be at work there
  const opened: (() => void | Promise<void>)[] = [() => lock.release()]
  const metrics = deps.metrics ?? silentMetrics
  let identity: Identity
  try {
    const record = openAuditLog(deps, { dataDir })
    opened.push(() => record.close())
    const audit = countedAudit(record, metrics)
    const thaw = (agent: AgentKey, epoch: number): Promise<boolean> => identity.thaw(agent, epoch)
    const lives = openLifecycle({ ...deps, audit, thaw, lock }, { dataDir })
    opened.push(() => lives.close())
    const standingOf = (agent: AgentKey): Standing | null => lives.standingOf(agent)
    identity = openIdentity(
      { ...deps, audit, metrics, standingOf, snapshotOf },
      { dataDir, trustDomain, waitMs: limits.identityWaitMs },
    )
    opened.push(() => identity.close())
    const tokens = openTokens(deps, { dataDir })
    const notes = openObserved(deps, { dataDir })
    opened.push(() => notes.close())
    return {
      lives,
      tokens,
      audit: record,
      verdicts: record.verdicts,
      keyUsed: ({ agent, provider }: { readonly agent: AgentKey; readonly provider: string }): void => {
        audit.record({ kind: 'key-use', agent, provider, key: keyNameOf(provider) })
      },
      notes,
      identity,
      close: async () => {
        for (const shut of opened.reverse()) await shut()
      },
    }
  } catch (error) {
    for (const shut of opened.reverse()) void shut()
    throw error
  }
}

/** A provider's key is known by the variable that it came in: `openai-compatible` → `OPENAI_COMPATIBLE_API_KEY`. */
function keyNameOf(provider: string): string {
  return `${provider.toUpperCase().replaceAll('-', '_')}_API_KEY`
}
