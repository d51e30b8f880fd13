import type { Intent, ProviderType, Snapshot, ToolGrant } from '#pkg/model'

/** JSON types that an argument had. */
export type ArgumentType = 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object'

/** One argument of a tool. */
export type ObservedArgument = {
  /** Calls that had it. */
  count: number
  types: ArgumentType[]
  /** Its value in every call so far, as JSON; null = it changed, or is none to keep. */
  constant: string | null
}

/** The entry of `tools.allow` that let a tool through: a suggestion keeps what it asks for. */
export type ToolFrame = Pick<ToolGrant, 'server' | 'execution' | 'intents' | 'resultTrust' | 'schema' | 'rules'>

/** One tool, through one entry's server. */
export type ObservedTool = {
  name: string
  frame: ToolFrame
  calls: number
  /** What its arguments showed. */
  intents: Intent[]
  /** True when some effect could not be looked at: then the entry's own bound is kept. */
  unread: boolean
  /** By name; null when the arguments of some call were not looked at. */
  arguments: Record<string, ObservedArgument> | null
}

/** One agent. */
export type ObservedAgent = {
  /** The rules of the newest call. */
  snapshot: Snapshot
  /** RFC 3339. */
  since: string
  until: string
  calls: number
  /** True when something did not fit into the limits and is missing here. */
  incomplete: boolean
  /** Models by type of provider. */
  models: Partial<Record<ProviderType, string[]>>
  /** Names of tool servers and peers that were asked. */
  servers: string[]
  peers: string[]
  /** Methods by host and port of other hosts. */
  hosts: Record<string, string[]>
  tools: ObservedTool[]
}

/** The whole file. */
export type Observed = { version: 1; agents: Record<string, ObservedAgent> }
