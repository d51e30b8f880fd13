import type { CompiledAgent } from '#pkg/control/compile'
import { SallyportError } from '#pkg/model/errors'
import { type Checks, newChecks, newSidecar, type SidecarDeps, type SidecarOptions } from '#pkg/planes/sidecar'
import { compileChecks } from '#pkg/platform/expr'
import { formatFault, inOrder, newResourceReader, type ResourceFault } from '#pkg/platform/resources'
import { newVerdictIds } from '#pkg/systems/audit'
import { newToolPins } from '#pkg/systems/pins'
import { adviceOn, adviceOnAll } from './advice.ts'
import { explainCall } from './explain.ts'
import { explainHost } from './explain-host.ts'
import { readFolder, watchFolder } from './folder.ts'
import { livesWithIdentity } from './identity.ts'
import { newIdentityDesk } from './identity-admin.ts'
import { cutWhoMayNotAct, newVerbs } from './lifecycle-verbs.ts'
import { observing } from './observing.ts'
import type { Advice, Standalone, StandaloneDeps, StandaloneOptions } from './ports.ts'
import { newRoster } from './roster.ts'
import { PolicySource, type Reading } from './source.ts'
import { healthOf, statusOf } from './status.ts'
import { openStores, type Stores } from './stores.ts'
import { newTokenKeeper } from './token-keeper.ts'

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

function desksOf({ lives, identity }: Stores): Pick<Standalone, 'move' | 'identity'> {
  return { move: newVerbs(lives), identity: newIdentityDesk(identity) }
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
  let reading: Reading = first
  let agents: readonly CompiledAgent[] = []
  const apply = (next: Reading): void => {
    keeper.ensure(next.compiled.agents.map((agent) => agent.key))
    roster.take(next.compiled.snapshots)
    lives.apply(next.compiled.agents)
    sidecar.review()
    for (const agent of agents) if (!next.compiled.snapshots.has(agent.key)) sidecar.cutAgent(agent.key)
    for (const warning of [...next.compiled.warnings, ...next.compiled.uninspected])
      log.warn('policy-warning', { warning: formatFault(warning) })
    reading = next
    agents = next.compiled.agents
  }
  const warnings = (): readonly Advice[] => {
    const snapshots = agents.map((agent) => roster.snapshotOf(agent.key))
    return [...adviceOnAll(options.policiesDir, snapshots), ...agents.flatMap((one) => adviceOn(one, lives))]
  }
  const reload = (): void => {
    try {
      apply(source.take(files()))
      for (const { code, message } of warnings()) log.warn('advice', { code, message })
    } catch (error) {
      return log.error('policies-unreadable', { message: error instanceof Error ? error.message : 'unknown' })
    }
    for (const fault of reading.faults) log.error('policy-fault', { fault: formatFault(fault) })
    log.info('policies-loaded', { agents: agents.length, faults: reading.faults.length })
  }
  const unwatch = options.policiesDir === null ? () => {} : watchFolder(options.policiesDir, reload)

  const close = async (drainMs: number): Promise<void> => {
    unwatch()
    keeper.close()
    await sidecar.close(drainMs)
    await checks.close()
    await stores.close()
  }
  try {
    tokens.ensure(first.compiled.agents.map((agent) => agent.key)) // what is not there at the start fails it
    apply(first)
    const [facade] = await Promise.all([sidecar.listen(), checks.ready()])
    identity.begin()
    return {
      facade,
      agents: () => agents.map((agent) => statusOf(agent, stores, roster.snapshotOf(agent.key))),
      tokenOf: (agent) => tokens.tokenOf(agent),
      verdicts,
      ...desksOf(stores),
      effective: (agent) => roster.snapshotOf(agent),
      ...explainers({ roster, lives, firewall: checks.firewall }, options),
      policyFaults: () => reading.faults,
      warnings,
      healthy: () => healthOf(stores, reading),
      close,
    }
  } catch (error) {
    await close(0)
    throw error
  }
}

type Built = { readonly stores: Stores; readonly roster: SidecarDeps['roster']; readonly checks: Checks }

/** What the path is made of. What it lets through is noted for `policy suggest`. */
function pathDeps(deps: StandaloneDeps, { stores, roster, checks }: Built): SidecarDeps {
  const { verdicts, notes, identity } = stores
  const { proofs } = identity
  const lives = livesWithIdentity(stores.lives, identity)
  const firewall = observing(checks.firewall, { notes, sql: checks.sql })
  const { keyUsed } = stores
  return { ...deps, roster, lives, verdicts, keyUsed, proofs, firewall, newVerdictId: newVerdictIds(deps.random) }
}

function explainers(
  deps: Parameters<typeof explainCall>[0],
  { upstreams, serverUrls = {}, peerUrls = {} }: StandaloneOptions,
): Pick<Standalone, 'explainCall' | 'explainHost'> {
  const owned = { providerUrls: upstreams.map(({ url }) => url), serverUrls, peerUrls }
  return {
    explainCall: (agent, call) => explainCall(deps, agent, call),
    explainHost: (agent, request) => explainHost({ ...deps, ...owned }, agent, request),
  }
}

function invalid(faults: readonly ResourceFault[]): SallyportError {
  const lines = inOrder(faults).map(formatFault)
  return new SallyportError('RESOURCE_INVALID', lines.join('\n'), { fields: { faults: faults.length } })
}
