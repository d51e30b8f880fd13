import type { Part } from './policy.ts'
import { canonical } from './supported.ts'
import { mergeViolations, type Violations } from './violations.ts'

/** What the policies of one agent come to, without the agent itself. Shared by all agents with the same policies. */
export type Merged = Omit<Part, 'resource' | 'action' | 'rules' | 'activation' | 'workloadApi'> & {
  readonly workloadApi?: 'Open'
  readonly policies: readonly string[]
  readonly onViolation: Violations
  readonly requiredCapabilities: readonly string[]
}

/**
 * Older first; equal ages by namespace and name. What has no time of creation is the youngest: it cannot show that it was there
 * before. POLICY.md "Merge".
 */
export function byAge(left: Part, right: Part): number {
  const [a, b] = [left.resource, right.resource]
  const [born, other] = [bornAt(a.createdAt), bornAt(b.createdAt)]
  if (born !== other) return born < other ? -1 : 1
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function bornAt(createdAt: string | null): number {
  return createdAt === null ? Number.POSITIVE_INFINITY : Date.parse(createdAt)
}

/** Why the newer of two policies cannot stand beside the older, or null. */
export function conflictOf(older: Part, newer: Part): string | null {
  const elder = `${older.resource.key}, which is older`
  if (older.role !== newer.role) return `role "${newer.role}" differs from "${older.role}" of ${elder}`
  const known = older.resource.value.spec.llm?.providers ?? []
  for (const provider of newer.resource.value.spec.llm?.providers ?? []) {
    const same = known.find((each) => each.name === provider.name)
    if (same === undefined || canonical(same) === canonical(provider)) continue
    return `provider "${provider.name}" differs from that of ${elder}`
  }
  const servers = older.resource.value.spec.mcp?.servers ?? []
  for (const server of newer.resource.value.spec.mcp?.servers ?? []) {
    const same = servers.find((each) => each.name === server.name)
    if (same === undefined || canonical(same) === canonical(server)) continue
    return `server "${server.name}" differs from that of ${elder}`
  }
  const peers = older.resource.value.spec.a2a?.outbound ?? []
  for (const peer of newer.resource.value.spec.a2a?.outbound ?? []) {
    const same = peers.find((each) => each.name === peer.name)
    if (same === undefined || canonical(same) === canonical(peer)) continue
    return `peer "${peer.name}" differs from that of ${elder}`
  }
  const callers = older.resource.value.spec.a2a?.inbound ?? []
  for (const caller of newer.resource.value.spec.a2a?.inbound ?? []) {
    const same = callers.find((each) => each.name === caller.name)
    if (same === undefined || canonical(same) === canonical(caller)) continue
    return `caller "${caller.name}" differs from that of ${elder}`
  }
  return null
}

/** Unions of grants and denies, the strictest of the rest. The parts do not conflict, oldest first, at least one. */
export function merge(parts: readonly Part[]): Merged {
  const all = <T>(pick: (part: Part) => readonly T[]): readonly T[] => parts.flatMap(pick)
  const providers = new Map<string, Part['providers'][number]>()
  for (const provider of all((part) => part.providers))
    if (!providers.has(provider.name)) providers.set(provider.name, provider)
  const servers = new Map<string, Part['servers'][number]>()
  for (const server of all((part) => part.servers)) if (!servers.has(server.name)) servers.set(server.name, server)
  const peers = new Map<string, Part['peers'][number]>()
  for (const peer of all((part) => part.peers)) if (!peers.has(peer.name)) peers.set(peer.name, peer)
  const callers = new Map<string, Part['callers'][number]>()
  for (const caller of all((part) => part.callers)) if (!callers.has(caller.name)) callers.set(caller.name, caller)
  const textTools = new Map(all((part) => part.textTools).map((tool) => [`${tool.kind} ${tool.word}`, tool]))
  const merged = {
    policies: parts.map((part) => part.resource.key),
    role: parts[0]?.role ?? '',
    mode: parts.some((part) => part.mode === 'Enforce') ? ('Enforce' as const) : ('Audit' as const),
    grants: all((part) => part.grants),
    denies: all((part) => part.denies),
    textTools: [...textTools.values()],
    intents: { allow: all((part) => part.intents.allow), deny: all((part) => part.intents.deny) },
    providers: [...providers.values()],
    servers: [...servers.values()],
    peers: [...peers.values()],
    callers: [...callers.values()],
    egress: all((part) => part.egress),
    onViolation: mergeViolations(parts),
    ...(parts.every((part) => part.workloadApi === 'Open') ? { workloadApi: 'Open' as const } : {}),
  }
  return { ...merged, requiredCapabilities: capabilitiesOf(merged) }
}

function capabilitiesOf(merged: Omit<Merged, 'requiredCapabilities'>): readonly string[] {
  const needs: readonly (readonly [name: string, needed: boolean])[] = [
    ['a2a.inbound.v1', merged.callers.length > 0],
    ['a2a.outbound.v1', merged.peers.length > 0],
    ['egress.v1', merged.egress.length > 0],
    ['hosted-tools.v1', merged.providers.some((provider) => provider.hostedTools.length > 0)],
    ['intents.v1', merged.intents.allow.length + merged.intents.deny.length > 0],
    ['mcp.servers.v1', merged.servers.length > 0],
    ['llm.opaque.v1', merged.providers.some((provider) => provider.opaque.length > 0)],
    ['mode.audit.v1', merged.mode === 'Audit'],
    ['on-violation.rules.v1', merged.onViolation.rules.length > 0],
    ['pod.workload-api.v1', merged.workloadApi === 'Open'],
    ['text-tools.v1', merged.textTools.length > 0],
    ['tools.arguments.cel.v1', merged.grants.some((grant) => grant.rules.length > 0)],
    ['tools.arguments.schema.v1', merged.grants.some((grant) => grant.schema !== null)],
    ['tools.execution.mcp.v1', merged.grants.some((grant) => grant.execution === 'mcp')],
    ['tools.output.v1', merged.grants.some((grant) => grant.execution === 'output')],
    ['tools.server.v1', [...merged.grants, ...merged.denies].some((entry) => entry.server !== '')],
  ]
  return needs.filter(([, needed]) => needed).map(([name]) => name)
}
