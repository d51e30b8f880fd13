import { createHash } from 'node:crypto'
import { type AgentKey, agentKeyOf, LIFECYCLE_STATES, type Snapshot } from '#pkg/model'
import type { Agent } from '#pkg/model/api'
import { AGENT_SCHEMA, type FieldPath, type Resource, type ResourceFault } from '#pkg/platform/resources'
import type { Compiled, CompiledAgent, CompileInput, Condition } from './contract.ts'
import { egressWarnings } from './egress.ts'
import { byAge, type Merged, merge } from './merge.ts'
import { type Part, readPolicy } from './policy.ts'
import { type Selection, type Subject, select } from './selection.ts'
import { canonical, SUPPORTED_AGENT, unsupportedFields } from './supported.ts'

/** The agent of a folder that names none. POLICY.md "selector". */
const IMPLICIT: Subject = {
  key: 'default/default',
  namespace: 'default',
  name: 'default',
  labels: {},
  ambiguous: false,
}

/** Agents that no policy selects are named one by one up to here. */
const MAX_LONELY = 20

/** Compiles everything. Pure: the same resources give the same snapshots, digest for digest, in whatever order they come. */
export function compile(input: CompileInput): Compiled {
  const doubles = [...doublesOf(input.policies), ...doublesOf(input.agents)]
  const read = readPolicies(input)
  const agents = readAgents(input.agents)
  const selection = select(agents.subjects, read.parts)
  const conditions = new Map(read.conditions)
  for (const { resource } of read.parts) conditions.set(resource.key, ACCEPTED)
  for (const { part, message } of selection.conflicts) {
    conditions.set(part.resource.key, { accepted: false, reason: 'Conflicted', message })
  }
  return {
    snapshots: snapshotsOf(agents.subjects, selection, input.generation),
    agents: agents.ceilings.map((ceiling, at) => activated(ceiling, selection.chosen[at] ?? [])),
    conditions,
    faults: [...doubles, ...read.faults, ...agents.faults],
    warnings: warningsOf(input, agents.subjects, selection),
    uninspected: read.parts.flatMap(({ resource }) => egressWarnings(resource)),
  }
}

const ACCEPTED: Condition = { accepted: true, reason: 'Accepted', message: '' }

type Policies = {
  /** Those without a fault, oldest first. */
  readonly parts: readonly Part[]
  readonly conditions: ReadonlyMap<string, Condition>
  readonly faults: readonly ResourceFault[]
}

function readPolicies({ policies, checks }: CompileInput): Policies {
  const parts: Part[] = []
  const conditions = new Map<string, Condition>()
  const faults: ResourceFault[] = []
  const counts = countsOf(policies)
  for (const resource of policies) {
    const read = readPolicy(resource, checks)
    faults.push(...read.faults)
    const [first] = read.faults
    if ((counts.get(resource.key) ?? 0) > 1) {
      conditions.set(resource.key, { accepted: false, reason: 'Invalid', message: 'the name is given more than once' })
    } else if (read.part !== null) parts.push(read.part)
    else {
      const reason = first?.code === 'UnsupportedField' ? 'UnsupportedField' : 'Invalid'
      conditions.set(resource.key, { accepted: false, reason, message: first?.message ?? '' })
    }
  }
  return { parts: parts.sort(byAge), conditions, faults }
}

type Agents = {
  readonly subjects: readonly Subject[]
  readonly ceilings: readonly CompiledAgent[]
  readonly faults: readonly ResourceFault[]
}

function readAgents(agents: readonly Resource<Agent>[]): Agents {
  if (agents.length === 0) {
    const ceiling: CompiledAgent = { ...ACTIVE, key: agentKeyOf(IMPLICIT) }
    return { subjects: [IMPLICIT], ceilings: [ceiling], faults: [] }
  }
  const faults: ResourceFault[] = []
  const subjects = new Map<string, Subject>()
  const ceilings = new Map<string, CompiledAgent>()
  for (const resource of agents) {
    for (const { path, message } of unsupportedFields(AGENT_SCHEMA, resource.value, SUPPORTED_AGENT)) {
      faults.push(faultAt(resource, path, 'UnsupportedField', message))
    }
    const { key, namespace, name, labels } = resource
    const before = ceilings.get(key)
    subjects.set(key, { key, namespace, name, labels, ambiguous: before !== undefined })
    const ceiling = ceilingOf(resource)
    ceilings.set(key, before === undefined ? ceiling : stricter(before, ceiling))
  }
  return { subjects: [...subjects.values()], ceilings: [...ceilings.values()], faults }
}

/** What an Agent without a spec asks for. */
const ACTIVE = {
  state: 'Active',
  reason: '',
  releaseThroughEpoch: 0,
  force: false,
  activation: 'None',
  place: null,
} as const satisfies Omit<CompiledAgent, 'key'>

function ceilingOf(resource: Resource<Agent>): CompiledAgent {
  const { state, reason, releaseThroughEpoch, force } = { ...ACTIVE, ...resource.value.spec }
  const place = `${resource.file}:${resource.at(['spec', 'state']).line}`
  return { ...ACTIVE, key: agentKeyOf(resource), state, reason, releaseThroughEpoch, force, place }
}

/** One policy that asks for a person is enough. */
function activated(ceiling: CompiledAgent, parts: readonly Part[]): CompiledAgent {
  if (parts.length === 0) return ceiling
  const isManual = parts.some((part) => part.activation === 'Manual')
  return { ...ceiling, activation: isManual ? 'Manual' : 'Automatic' }
}

function stricter(left: CompiledAgent, right: CompiledAgent): CompiledAgent {
  const strictness = ({ state }: CompiledAgent): number => LIFECYCLE_STATES.indexOf(state)
  const held = strictness(left) >= strictness(right) ? left : right
  return { ...held, releaseThroughEpoch: Math.min(left.releaseThroughEpoch, right.releaseThroughEpoch) }
}

function snapshotsOf(
  subjects: readonly Subject[],
  { chosen }: Selection,
  generation: number,
): ReadonlyMap<AgentKey, Snapshot> {
  const merges = new Map<string, { readonly merged: Merged; readonly digest: string }>()
  const snapshots = new Map<AgentKey, Snapshot>()
  for (const [at, subject] of subjects.entries()) {
    const parts = chosen[at] ?? []
    const set = parts.map((part) => part.resource.key).join(' ')
    let known = merges.get(set)
    if (known === undefined) {
      const merged = parts.length === 0 ? NOTHING : merge(parts)
      known = { merged, digest: sha256(canonical(merged)) }
      merges.set(set, known)
    }
    const agent = agentKeyOf(subject)
    const denyAll = parts.length === 0
    const digest = `sha256:${sha256(`${agent} ${canonical(subject.labels)} ${denyAll} ${known.digest}`)}`
    snapshots.set(agent, { agent, generation, digest, denyAll, labels: subject.labels, ...known.merged })
  }
  return snapshots
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
  servers: [],
  peers: [],
  callers: [],
  egress: [],
  onViolation: { action: 'Deny', rules: [] },
  requiredCapabilities: [],
}

function warningsOf(input: CompileInput, subjects: readonly Subject[], selection: Selection): readonly ResourceFault[] {
  const conflicts = selection.conflicts.map(({ part, message }) =>
    faultAt(part.resource, ['spec'], 'Invalid', `${part.resource.key} is not accepted: ${message}`),
  )
  const idle = selection.idle.map(({ resource }) =>
    faultAt(
      resource,
      ['spec', 'selector'],
      'Invalid',
      `${resource.key} selects no agent of namespace ${resource.namespace}`,
    ),
  )
  const lonely = new Set(subjects.filter((_, at) => selection.chosen[at]?.length === 0).map((subject) => subject.key))
  const alone = input.agents.filter((agent) => lonely.has(agent.key))
  const named = alone.slice(0, MAX_LONELY).map((agent) => {
    const more = alone.length > MAX_LONELY ? `, one of ${alone.length} such agents` : ''
    const words = `no accepted policy selects agent ${agent.key}, so all that it asks for is refused${more}`
    return faultAt(agent, ['metadata', 'name'], 'Invalid', words)
  })
  return [...conflicts, ...idle, ...named]
}

function countsOf(resources: readonly Resource<unknown>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { key } of resources) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

/** A name that is given twice is a fault at both places: nobody can say which of them is meant. */
function doublesOf(resources: readonly Resource<unknown>[]): readonly ResourceFault[] {
  const counts = countsOf(resources)
  const doubles = resources.filter(({ key }) => (counts.get(key) ?? 0) > 1)
  return doubles.map((resource) => {
    const others = doubles.filter((each) => each !== resource && each.key === resource.key).map((each) => each.file)
    const message = `${resource.key} stands in ${[...new Set(others)].join(', ')}, too; a name is given once`
    return faultAt(resource, ['metadata', 'name'], 'Duplicate', message)
  })
}

function faultAt(
  resource: Resource<unknown>,
  path: FieldPath,
  code: ResourceFault['code'],
  message: string,
): ResourceFault {
  return { file: resource.file, ...resource.at(path), code, message }
}
