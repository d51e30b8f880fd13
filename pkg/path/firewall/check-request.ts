import { type Finding, findingOf, globMatches, type ProviderGrant, type RequestView, type Standing } from '#pkg/model'
import { egressFindings } from './check-egress.ts'
import { absenceOf, noneSelects } from './check-name.ts'
import { upgradeFindings } from './check-upgrade.ts'
import type { Rules } from './rules.ts'

/** What is known of the agent beside its rules. */
export type Known = { readonly standing: Standing; readonly unknownCalls?: () => number }

/**
 * Checks 2, 3 and 7 on a request before it leaves: the agent's state, its provider, model and hosted tools, and whether
 * its history is one that this agent can have. The last is not asked of a request that is refused already.
 */
export function checkRequest(rules: Rules, view: RequestView, { standing, unknownCalls }: Known): readonly Finding[] {
  const identity = stateFinding(standing)
  if (identity !== null) return [identity]
  if (rules.snapshot.denyAll) return [noneSelects()]
  if (view.target !== undefined) return egressFindings(rules, view, view.target)
  if (view.opaque === true) return upgradeFindings(providersFor(rules, view.provider), rules, view)
  if (view.endpoint.server !== undefined) return serverFindings(rules, view.endpoint.server)
  if (view.endpoint.caller !== undefined) return callerFindings(rules, view.endpoint.caller)
  if (view.endpoint.peer !== undefined) return peerFindings(rules, view.endpoint.peer)
  const providers = providersFor(rules, view.provider)
  if (providers.length === 0) {
    return [
      findingOf('PROVIDER_NOT_GRANTED', 0, 'goes to a provider that is not granted', absenceOf(rules, 'llm.providers')),
    ]
  }
  const { model } = view
  if (view.modelless) return historyFindings(unknownCalls)
  const able = model === null ? [] : providers.filter((provider) => grantsModel(provider, model))
  const [first] = able
  if (first === undefined) return [modelFinding(providers)]
  const hosted = hostedFindings(able, first, view)
  return hosted.length > 0 ? hosted : historyFindings(unknownCalls)
}

/** Recorded unless a rule says more: after a restart nothing is known of any call. WIRE.md §3. */
function historyFindings(unknownCalls: (() => number) | undefined): readonly Finding[] {
  const unknown = unknownCalls?.() ?? 0
  if (unknown === 0) return []
  const detail = `has ${unknown} tool ${unknown === 1 ? 'call' : 'calls'} in its history that this agent was never given`
  return [{ ...findingOf('SESSION_CALL_UNKNOWN', 0, detail), action: 'Record' }]
}

/** Of the compatible ones the first is the one that is reached: what another grants, it grants elsewhere. */
function providersFor(rules: Rules, type: RequestView['provider']): readonly ProviderGrant[] {
  const providers = rules.snapshot.providers.filter((provider) => provider.type === type)
  return type === 'OpenAICompatible' ? providers.slice(0, 1) : providers
}

function serverFindings(rules: Rules, name: string): readonly Finding[] {
  if (rules.snapshot.servers.some((server) => server.name === name)) return []
  return [
    findingOf('SERVER_NOT_GRANTED', 0, 'goes to a tool server that is not granted', absenceOf(rules, 'mcp.servers')),
  ]
}

function peerFindings(rules: Rules, name: string): readonly Finding[] {
  if (rules.snapshot.peers.some((peer) => peer.name === name)) return []
  return [
    findingOf('PEER_NOT_GRANTED', 0, 'goes to another agent that is not granted', absenceOf(rules, 'a2a.outbound')),
  ]
}

function callerFindings(rules: Rules, name: string): readonly Finding[] {
  if (rules.snapshot.callers.some((caller) => caller.name === name)) return []
  return [
    findingOf('PEER_NOT_GRANTED', 0, 'comes from another agent that is not granted', absenceOf(rules, 'a2a.inbound')),
  ]
}

function stateFinding({ state, thawing }: Standing): Finding | null {
  if (state === 'Active')
    return thawing === true
      ? findingOf('IDENTITY_AGENT_INACTIVE', 0, 'comes from an agent that was released and waits for its fresh key')
      : null
  return findingOf(REASON_OF[state], 0, `comes from an agent that is ${state.toLowerCase()}`)
}

const REASON_OF = {
  Provisioned: 'IDENTITY_AGENT_PROVISIONED',
  Quarantined: 'IDENTITY_AGENT_QUARANTINED',
  Suspended: 'IDENTITY_AGENT_SUSPENDED',
  Terminated: 'IDENTITY_AGENT_TERMINATED',
} as const

function grantsModel(provider: ProviderGrant, model: string): boolean {
  return provider.models.some((glob) => globMatches(glob, model))
}

function modelFinding(providers: readonly ProviderGrant[]): Finding {
  const source = providers[0]?.source ?? null
  const rule = source === null ? null : { policy: source.policy, path: `${source.path}.models` }
  return findingOf('MODEL_NOT_GRANTED', 0, 'asks for a model that is not granted', rule)
}

/** One provider entry must grant the model and every hosted tool; else what the first such entry lacks is told. */
function hostedFindings(able: readonly ProviderGrant[], first: ProviderGrant, view: RequestView): readonly Finding[] {
  const lacking = (provider: ProviderGrant): readonly string[] => lackingHosted(provider, view)
  if (able.some((provider) => lacking(provider).length === 0)) return []
  const rule = { policy: first.source.policy, path: `${first.source.path}.hostedTools` }
  return lacking(first).map((detail) => findingOf('TOOL_HOSTED_NOT_GRANTED', 0, detail, rule))
}

function lackingHosted(provider: ProviderGrant, view: RequestView): readonly string[] {
  const lacking: string[] = []
  for (const { name, serverUrl, asksAlways } of view.hostedTools) {
    const grants = provider.hostedTools.filter((grant) => globMatches(grant.name, name))
    if (name !== 'mcp') {
      if (grants.length === 0) lacking.push('turns on a provider-hosted tool that is not granted')
    } else if (
      serverUrl === null ||
      !grants.some((grant) => grant.name === 'mcp' && grant.serverUrls.includes(serverUrl))
    ) {
      lacking.push('turns on the hosted tool "mcp" with a server_url that is not granted')
    } else if (asksAlways !== true) {
      lacking.push('turns on the hosted tool "mcp" without an approval of every call')
    }
  }
  return lacking
}
