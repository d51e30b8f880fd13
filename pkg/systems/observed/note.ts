import type { Intent, ProviderType, Snapshot } from '#pkg/model'
import type { ArgumentType, Observed, ObservedAgent, ObservedArgument, ObservedTool, ToolFrame } from './contract.ts'

/** One call that nothing objected to. */
export type CallNote = {
  readonly snapshot: Snapshot
  readonly name: string
  readonly frame: ToolFrame
  /** null = not looked at: too large, or no JSON object. */
  readonly args: Readonly<Record<string, unknown>> | null
  readonly intents: readonly Intent[]
  /** True when the effects could not be read. */
  readonly unread: boolean
}

/** One request that nothing objected to. */
export type RequestNote = {
  readonly snapshot: Snapshot
  readonly provider: ProviderType | null
  readonly model: string | null
  readonly server: string | null
  readonly peer: string | null
  readonly host: { readonly authority: string; readonly method: string } | null
}

/** Most of each kind that is kept. */
const MAX = { agents: 64, tools: 256, arguments: 32, names: 32 } as const
/** Longest value that is kept, in UTF-16 units of its JSON. */
const MAX_CONSTANT = 64
/** Names whose values are none to keep. */
const SECRET_NAME = /key|token|secret|passw|auth|credential|cookie|session|bearer|pin\b/i
/** Long runs without a space look like a key. */
const SECRET_VALUE = /[A-Za-z0-9+/_=-]{24,}/

/** Adds one call. */
export function noteCall(observed: Observed, note: CallNote, time: string): void {
  const agent = agentOf(observed, note.snapshot, time)
  if (agent === null) return
  agent.calls += 1
  const tool = toolOf(agent, note)
  if (tool === null) return
  tool.calls += 1
  tool.frame = note.frame
  tool.unread ||= note.unread
  for (const intent of note.intents) add(tool.intents, intent, MAX.names)
  if (note.args === null) tool.arguments = null
  if (tool.arguments === null || note.args === null) return
  const names = Object.keys(note.args)
  const fresh = names.filter((name) => !Object.hasOwn(tool.arguments ?? {}, name))
  if (Object.keys(tool.arguments).length + fresh.length > MAX.arguments) {
    tool.arguments = null
    return
  }
  for (const name of names) noteArgument(tool.arguments, name, note.args[name])
}

/** Adds one request. */
export function noteRequest(observed: Observed, note: RequestNote, time: string): void {
  const agent = agentOf(observed, note.snapshot, time)
  if (agent === null) return
  const fits = (list: string[], value: string | null): void => {
    if (value !== null && !add(list, value, MAX.names)) agent.incomplete = true
  }
  if (note.provider !== null) {
    agent.models[note.provider] ??= []
    fits(agent.models[note.provider] ?? [], note.model)
  }
  fits(agent.servers, note.server)
  fits(agent.peers, note.peer)
  if (note.host === null) return
  const { authority, method } = note.host
  const methods = Object.hasOwn(agent.hosts, authority) ? agent.hosts[authority] : undefined
  if (methods !== undefined) return fits(methods, method)
  if (Object.keys(agent.hosts).length >= MAX.names) agent.incomplete = true
  else define(agent.hosts, authority, [method])
}

function agentOf(observed: Observed, snapshot: Snapshot, time: string): ObservedAgent | null {
  const found = observed.agents[snapshot.agent]
  if (found !== undefined) {
    found.snapshot = snapshot
    found.until = time
    return found
  }
  if (Object.keys(observed.agents).length >= MAX.agents) return null
  const lists = { models: {}, servers: [], peers: [], hosts: {}, tools: [] }
  const fresh: ObservedAgent = { snapshot, since: time, until: time, calls: 0, incomplete: false, ...lists }
  observed.agents[snapshot.agent] = fresh // keys hold a slash: never `__proto__`
  return fresh
}

function toolOf(agent: ObservedAgent, { name, frame }: CallNote): ObservedTool | null {
  const found = agent.tools.find(
    (tool) => tool.name === name && tool.frame.server === frame.server && tool.frame.execution === frame.execution,
  )
  if (found !== undefined) return found
  if (agent.tools.length >= MAX.tools) {
    agent.incomplete = true
    return null
  }
  const fresh: ObservedTool = { name, frame, calls: 0, intents: [], unread: false, arguments: {} }
  agent.tools.push(fresh)
  return fresh
}

function noteArgument(all: Record<string, ObservedArgument>, name: string, value: unknown): void {
  const type = typeOf(value)
  const found = Object.hasOwn(all, name) ? all[name] : undefined
  if (found === undefined) return define(all, name, { count: 1, types: [type], constant: constantOf(name, value) })
  found.count += 1
  add(found.types, type, MAX.names)
  if (found.constant !== null && found.constant !== constantOf(name, value)) found.constant = null
}

/** The JSON of a value that may be kept, or null. */
function constantOf(name: string, value: unknown): string | null {
  if ((typeof value === 'object' && value !== null) || SECRET_NAME.test(name)) return null
  const text = JSON.stringify(value)
  return text.length > MAX_CONSTANT || SECRET_VALUE.test(text) ? null : text
}

function typeOf(value: unknown): ArgumentType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'string' || typeof value === 'boolean' ? (typeof value as 'string' | 'boolean') : 'object' // just looked at
}

/** A name from outside as a plain member, also `__proto__`. */
function define<T>(all: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(all, name, { value, enumerable: true, configurable: true, writable: true })
}

/** False when it is not there and does not fit. */
function add<T>(list: T[], value: T, max: number): boolean {
  if (list.includes(value)) return true
  if (list.length >= max) return false
  list.push(value)
  return true
}
