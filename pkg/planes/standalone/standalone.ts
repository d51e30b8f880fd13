import type { CompiledAgent } from '#pkg/control/compile'
import type { AgentKey } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type Checks, newChecks, newSidecar, type SidecarDeps, type SidecarOptions } from '#pkg/planes/sidecar'
import { compileChecks } from '#pkg/platform/expr'
import { silentMetrics } from '#pkg/platform/metrics'
import { formatFault, inOrder, newResourceReader, type ResourceFault } from '#pkg/platform/resources'
import { newVerdictIds } from '#pkg/systems/audit'
import { newToolPins } from '#pkg/systems/pins'
import { adviceOn, adviceOnAll } from './advice.ts'
import { type AgentChanges, newAgentChanges } from './agent-changes.ts'
import { countedVerdicts } from './counted.ts'
import { explainCall } from './explain.ts'
import { explainHost } from './explain-host.ts'
import { readFolder, watchFolder } from './folder.ts'
import { type HeldReading, newHeldReading } from './held-reading.ts'
import { livesWithIdentity } from './identity.ts'
import { newIdentityDesk } from './identity-admin.ts'
import { cutWhoMayNotAct, newVerbs } from './lifecycle-verbs.ts'
import { meterPlane } from './metering.ts'
import { newMovesReader } from './moves-read.ts'
import { observing } from './observing.ts'
import type { Advice, AgentStatus, Standalone, StandaloneDeps, StandaloneOptions } from './ports.ts'
import { type FolderRoster, newRoster } from './roster.ts'
import { PolicySource } from './source.ts'
import { healthOf, statesOf, statusOf } from './status.ts'
import { openStores, type Stores } from './stores.ts'
import { newTokenKeeper } from './token-keeper.ts'
import { openWorkloadSockets, type WorkloadSockets } from './workload.ts'

/**
 * Starts both planes in this process. Resolves once the facade listens and the checks are warm.
 * @throws SallyportError RESOURCE_INVALID with every fault of the folder; STATE_UNAVAILABLE, UNREACHABLE.
 */
export async function startStandalone(deps: StandaloneDeps, options: StandaloneOptions): Promise<Standalone> {
  const tools = newToolPins(deps, { dataDir: options.dataDir })
  const checks = newChecks({ ...deps, tools, peerUrls: options.peerUrls ?? {} }, options.limits)
  try {
    return await assemble(deps, options, checks)
  } catch (error) {
    await checks.close()
    throw error
  }
}

function sidecarOptions({ port, upstreams: providers, ...options }: StandaloneOptions): SidecarOptions {
  return { ...options, port, providers }
}

function desksOf(
  deps: StandaloneDeps,
  { lives, identity }: Stores,
  { dataDir }: StandaloneOptions,
): Pick<Standalone, 'move' | 'movesOf' | 'identity'> {
  return { move: newVerbs(lives), movesOf: newMovesReader(deps, dataDir), identity: newIdentityDesk(identity) }
}

async function assemble(
  deps: StandaloneDeps,
  options: StandaloneOptions,
  checks: ReturnType<typeof newChecks>,
): Promise<Standalone> {
  const { log } = deps
  const source = new PolicySource(newResourceReader(), compileChecks)
  const files = (): ReturnType<typeof readFolder> =>
    options.policiesDir === null ? [] : readFolder(options.policiesDir)
  const first = source.take(files())
  if (first.faults.length > 0) throw invalid(first.faults)

  const stores = openStores(deps, options, (agent) => roster.snapshotOf(agent))
  const { lives, tokens, verdicts, identity } = stores
  const roster = newRoster(checks.firewall, tokens)
  const sidecar = newSidecar(pathDeps(deps, { stores, roster, checks }), sidecarOptions(options))
  cutWhoMayNotAct(lives, sidecar, identity.identities)
  const keeper = newTokenKeeper(tokens, log)
  const changes = newAgentChanges(deps)
  lives.onChange(({ agent }) => changes.tell(agent))
  const held = newHeldReading({ ...deps, lives, tokens: keeper, roster, sidecar, changes }, first)
  if (deps.metrics !== undefined) meterPlane(deps.metrics, stores, () => held.reading)
  let workloads: WorkloadSockets | null = null
  const warnings = () => [...adviceNow(options.policiesDir, held, roster, lives), ...(workloads?.advice() ?? [])]
  const reload = (): void => {
    try {
      held.take(source.take(files()))
      for (const { code, message } of warnings()) log.warn('advice', { code, message })
    } catch (error) {
      return log.error('policies-unreadable', { message: error instanceof Error ? error.message : 'unknown' })
    }
    const { faults } = held.reading
    for (const fault of faults) log.error('policy-fault', { fault: formatFault(fault) })
    log.info('policies-loaded', { agents: held.agents.length, faults: faults.length })
  }
  let unwatch = (): void => {}
  const close = async (drainMs: number): Promise<void> => {
    unwatch()
    keeper.close()
    await workloads?.close()
    await sidecar.close(drainMs)
    await checks.close()
    await stores.close()
  }
  try {
    tokens.ensure(first.compiled.agents.map((agent) => agent.key)) // what is not there at the start fails it
    held.take(first)
    if (options.policiesDir !== null) unwatch = watchFolder(options.policiesDir, reload)
    const [facade] = await Promise.all([sidecar.listen(), checks.ready()])
    workloads = await serveWorkloads(deps, options, { stores, roster, held, changes })
    identity.begin()
    return {
      facade,
      ...agentsOf(held, stores, roster),
      onAgentChange: changes.onChange,
      tokenOf: (agent) => tokens.tokenOf(agent),
      verdicts,
      ...desksOf(deps, stores, options),
      effective: (agent) => roster.snapshotOf(agent),
      ...explainers({ roster, lives, firewall: checks.firewall }, options),
      policyFaults: () => held.reading.faults,
      warnings,
      healthy: () => healthOf(stores, held.reading),
      close,
    }
  } catch (error) {
    await close(0)
    throw error
  }
}

function adviceNow(
  policiesDir: string | null,
  { agents }: Pick<HeldReading, 'agents'>,
  roster: Pick<FolderRoster, 'snapshotOf'>,
  lives: Stores['lives'],
): readonly Advice[] {
  const snapshots = agents.map(({ key }) => roster.snapshotOf(key))
  return [...adviceOnAll(policiesDir, snapshots), ...agents.flatMap((one) => adviceOn(one, lives))]
}

function agentsOf(
  held: HeldReading,
  stores: Stores,
  roster: Pick<FolderRoster, 'snapshotOf'>,
): Pick<Standalone, 'agents' | 'agent' | 'states'> {
  const shown = (agent: CompiledAgent): AgentStatus => statusOf(agent, stores, roster.snapshotOf(agent.key))
  return {
    agents: () => held.agents.map(shown),
    agent: (key) => {
      const found = held.agentOf(key)
      return found === null ? null : shown(found)
    },
    states: () => statesOf(stores.lives),
  }
}

/** The sockets of the Workload API; every change of an agent has its streams look again. */
async function serveWorkloads(
  deps: StandaloneDeps,
  { workloadSockets = {} }: StandaloneOptions,
  { stores, roster, held, changes }: { stores: Stores; roster: FolderRoster; held: HeldReading; changes: AgentChanges },
): Promise<WorkloadSockets> {
  const agents = () => held.agents.map(({ key }) => key)
  const { snapshotOf } = roster
  const { identity, lives } = stores
  const standingOf = (agent: AgentKey) => lives.standingOf(agent)
  const opened = await openWorkloadSockets({ ...deps, identity, agents, snapshotOf, standingOf }, workloadSockets)
  changes.onChange(() => opened.review())
  return opened
}

type Built = { readonly stores: Stores; readonly roster: SidecarDeps['roster']; readonly checks: Checks }

/** What the path is made of. What it lets through is noted for `policy suggest`. */
function pathDeps(deps: StandaloneDeps, { stores, roster, checks }: Built): SidecarDeps {
  const { notes, identity } = stores
  const { proofs } = identity
  const lives = livesWithIdentity(stores.lives, identity)
  const verdicts = countedVerdicts(stores.verdicts, deps.metrics ?? silentMetrics)
  const firewall = observing(checks.firewall, { notes, sql: checks.sql })
  const { keyUsed } = stores
  return { ...deps, roster, lives, verdicts, keyUsed, proofs, firewall, newVerdictId: newVerdictIds(deps.random) }
}

function explainers(
  deps: Parameters<typeof explainCall>[0],
  { upstreams, serverUrls = {}, peerUrls = {}, calledUrls = {} }: StandaloneOptions,
): Pick<Standalone, 'explainCall' | 'explainHost'> {
  const owned = { providerUrls: upstreams.map(({ url }) => url), serverUrls, peerUrls, calledUrls }
  return {
    explainCall: (agent, call) => explainCall(deps, agent, call),
    explainHost: (agent, request) => explainHost({ ...deps, ...owned }, agent, request),
  }
}

function invalid(faults: readonly ResourceFault[]): SallyportError {
  const lines = inOrder(faults).map(formatFault)
  return new SallyportError('RESOURCE_INVALID', lines.join('\n'), { fields: { faults: faults.length } })
}
