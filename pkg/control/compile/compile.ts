import { createHash } from 'node:crypto'
import { type AgentKey, agentKeyOf, type Snapshot } from '#pkg/model'
import type { Agent } from '#pkg/model/api'
import { AGENT_SCHEMA, type Resource, type ResourceFault } from '#pkg/platform/resources'
import type { Compiled, CompiledAgent, CompileInput, Condition } from './contract.ts'
import { byAge, conflictOf, type Merged, merge } from './merge.ts'
import { type Part, readPolicy } from './policy.ts'
import { selects } from './selector.ts'
import { canonical, SUPPORTED_AGENT, unsupportedFields } from './supported.ts'

/** The agent of a folder that names none. POLICY.md "selector". */
const IMPLICIT = { key: 'default/default', namespace: 'default', name: 'default', labels: {} }

type Subject = {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Compiles everything. Pure: the same resources give the same snapshots, digest for digest. */
export function compile(input: CompileInput): Compiled {
  const faults: ResourceFault[] = []
  const warnings: ResourceFault[] = []
  const conditions = new Map<string, Condition>()
  faults.push(...duplicates(input.policies), ...duplicates(input.agents))
  const parts: Part[] = []
  for (const resource of input.policies) {
    const read = readPolicy(resource, input.checks)
    faults.push(...read.faults)
    const [first] = read.faults
    if (read.part !== null) parts.push(read.part)
    else {
      const reason = first?.code === 'UnsupportedField' ? 'UnsupportedField' : 'Invalid'
      conditions.set(resource.key, { accepted: false, reason, message: first?.message ?? '' })
    }
  }
  parts.sort(byAge)
  const agents = readAgents(input.agents, faults)
  const subjects: readonly Subject[] = input.agents.length === 0 ? [IMPLICIT] : input.agents
  const snapshots = new Map<AgentKey, Snapshot>()
  const merges = new Map<string, { readonly merged: Merged; readonly digest: string }>()
  const conflicted = new Set<string>()
  const reject = ({ resource }: Part, message: string): void => {
    conflicted.add(resource.key)
    conditions.set(resource.key, { accepted: false, reason: 'Conflicted', message })
    const words = `${resource.key} is not accepted: ${message}`
    warnings.push({ file: resource.file, ...resource.at(['spec']), code: 'Invalid', message: words })
  }
  for (const subject of subjects) choose(subject, parts, reject, conflicted)
  const accepted = parts.filter((part) => !conflicted.has(part.resource.key))
  for (const subject of subjects) {
    const chosen = choose(subject, accepted, reject, conflicted)
    snapshots.set(agentKeyOf(subject), snapshotOf(subject, chosen, input.generation, merges))
  }
  for (const { resource } of parts) {
    if (!conditions.has(resource.key)) conditions.set(resource.key, { accepted: true, reason: 'Accepted', message: '' })
  }
  return { snapshots, agents, conditions, faults, warnings }
}

/** The policies that select a subject and do not conflict with an older one. A conflict takes the newer out for all. */
function choose(
  subject: Subject,
  parts: readonly Part[],
  reject: (part: Part, message: string) => void,
  conflicted: ReadonlySet<string>,
): readonly Part[] {
  const chosen: Part[] = []
  for (const part of parts) {
    const { resource } = part
    if (resource.namespace !== subject.namespace || conflicted.has(resource.key)) continue
    if (!selects(resource.value.spec.selector, subject.labels)) continue
    const conflict = chosen.map((older) => conflictOf(older, part)).find((message) => message !== null)
    if (conflict === undefined || conflict === null) chosen.push(part)
    else reject(part, conflict)
  }
  return chosen
}

function snapshotOf(
  subject: Subject,
  parts: readonly Part[],
  generation: number,
  merges: Map<string, { readonly merged: Merged; readonly digest: string }>,
): Snapshot {
  const agent = agentKeyOf(subject)
  const key = parts.map((part) => part.resource.key).join(' ')
  let known = merges.get(key)
  if (known === undefined) {
    const merged = parts.length === 0 ? NOTHING : merge(parts)
    known = { merged, digest: sha256(canonical(merged)) }
    merges.set(key, known)
  }
  const denyAll = parts.length === 0
  const digest = `sha256:${sha256(`${agent} ${canonical(subject.labels)} ${denyAll} ${known.digest}`)}`
  return { agent, generation, digest, denyAll, labels: subject.labels, ...known.merged }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What an agent may do that no policy selects. */
const NOTHING: Merged = {
  policies: [],
  role: '',
  mode: 'Enforce',
  grants: [],
  denies: [],
  textTools: [],
  intents: { allow: [], deny: [] },
  providers: [],
  onViolation: { action: 'Deny', rules: [] },
  requiredCapabilities: [],
}

function readAgents(agents: readonly Resource<Agent>[], faults: ResourceFault[]): readonly CompiledAgent[] {
  if (agents.length === 0) return [{ key: agentKeyOf(IMPLICIT), state: 'Active', reason: '', releaseThroughEpoch: 0 }]
  return agents.map((resource) => {
    for (const { path, message } of unsupportedFields(AGENT_SCHEMA, resource.value, SUPPORTED_AGENT)) {
      faults.push({ file: resource.file, ...resource.at(path), code: 'UnsupportedField', message })
    }
    const { state = 'Active', reason = '', releaseThroughEpoch = 0 } = resource.value.spec ?? {}
    const ceiling = state === 'Active' ? 'Active' : 'Quarantined' // a stricter one is refused in the lines above
    return { key: agentKeyOf(resource), state: ceiling, reason, releaseThroughEpoch }
  })
}

function duplicates(resources: readonly Resource<unknown>[]): readonly ResourceFault[] {
  const seen = new Map<string, Resource<unknown>>()
  const faults: ResourceFault[] = []
  for (const resource of resources) {
    const before = seen.get(resource.key)
    if (before === undefined) seen.set(resource.key, resource)
    else {
      const message = `${resource.key} stands in ${before.file}, too; a name is given once`
      faults.push({ file: resource.file, ...resource.at(['metadata', 'name']), code: 'Duplicate', message })
    }
  }
  return faults
}
