import type { Action } from './action.ts'
import type { AgentKey } from './agent.ts'
import type { Intent } from './intents.ts'

/** Where a rule was written: the policy's `namespace/name` and the path inside its spec. */
export type Source = { readonly policy: string; readonly path: string }

/** One CEL rule of a grant: `expression` → bool; an error denies. */
export type ArgumentRule = { readonly name: string; readonly expression: string; readonly message: string }

/** One entry of `tools.allow`. All of it must hold: name, server, intents, schema and rules. POLICY.md "Merge". */
export type ToolGrant = {
  readonly source: Source
  /** Exact name or trailing-`*` glob. */
  readonly name: string
  readonly server: string
  /** Where the call is carried out. `mcp`: by a tool server, where it is judged again. */
  readonly execution: 'local' | 'output' | 'mcp'
  /** Upper bound of what the tool may do; null = judged by its arguments alone. */
  readonly intents: readonly Intent[] | null
  readonly resultTrust: 'Trusted' | 'Untrusted' | 'Private'
  /** JSON Schema 2020-12, or null. */
  readonly schema: unknown
  readonly rules: readonly ArgumentRule[]
}

/** Executions whose server judges the call again when the agent brings it there. */
const JUDGED_AGAIN: ReadonlySet<string> = new Set(['mcp', 'a2a'])

/**
 * Does an entry of an allow list speak of a call? `server` is the one that is asked to carry it out; empty = a model
 * proposes it. An entry with a server speaks of that server's calls, and of proposals only where the agent takes them
 * through Sallyport to that server: nobody else would see that it is done there.
 */
export function grantSpeaksOf(grant: Pick<ToolGrant, 'server' | 'execution'>, server: string): boolean {
  if (grant.server === '' || grant.server === server) return true
  return server === '' && JUDGED_AGAIN.has(grant.execution)
}

/** One entry of a deny list. */
export type ToolDeny = { readonly source: Source; readonly name: string; readonly server: string }

/** How this agent writes actions as text. Exactly one of the two. */
export type TextTool = { readonly kind: 'fence' | 'tag'; readonly word: string }

/** One allow or deny of an intent: exact or trailing-`*`. */
export type IntentRule = { readonly source: Source; readonly intent: string }

/** Whose API a provider speaks, by the names of POLICY.md. */
export type ProviderType = 'OpenAI' | 'Anthropic' | 'Gemini' | 'OpenAICompatible'

/** One model provider that the agent may use. */
export type ProviderGrant = {
  readonly source: Source
  readonly name: string
  readonly type: ProviderType
  /** Where a provider of type OpenAICompatible is: `host` or `host:port`, by https. */
  readonly host?: string
  /** Exact names or trailing-`*` globs; empty = none. */
  readonly models: readonly string[]
  /** Names or globs of provider-hosted tools; `serverUrls` only for `mcp`. */
  readonly hostedTools: readonly { readonly name: string; readonly serverUrls: readonly string[] }[]
  /** Upgrades that pass uninspected; `path` is below the facade's base. */
  readonly opaque: readonly { readonly method: string; readonly path: string; readonly upgrade: 'websocket' }[]
}

/** What a tool server may ask of the agent. */
export const SERVER_REQUESTS = ['sampling', 'elicitation', 'roots'] as const

/** One of {@link SERVER_REQUESTS}. */
export type ServerRequest = (typeof SERVER_REQUESTS)[number]

/** One tool server that the agent may use. */
export type ServerGrant = {
  readonly source: Source
  readonly name: string
  readonly url: string
  /** What a changed tool list does. */
  readonly onDrift: 'Record' | 'Deny'
  /** `sha256:` of the tool list; null = pinned at first use. */
  readonly pin: string | null
  readonly serverRequests: readonly ServerRequest[]
  /** JwtSvid: each request carries a JWT-SVID of the agent, whose audience is the `url`. Absent = none does. */
  readonly identity?: 'JwtSvid'
}

/** One other agent that the agent may speak to. */
export type PeerGrant = {
  readonly source: Source
  readonly name: string
  /** Who it is in the mesh. */
  readonly agent: { readonly namespace: string; readonly name: string }
  /** The address of its interface; its card is asked for at the root of that host. */
  readonly url: string
  /** Exact names or trailing-`*` globs of its skills; empty = none by name. */
  readonly skills: readonly string[]
}

/** One other agent that may speak to this one. */
export type CallerGrant = {
  readonly source: Source
  readonly name: string
  /** Who it is in the mesh: what its proof must say. */
  readonly agent: { readonly namespace: string; readonly name: string }
}

/** One entry of `egress`. All of it must hold: host, port, method and path. */
export type EgressGrant = {
  readonly source: Source
  readonly name: string
  /** Canonical names and IP literals, each exact. */
  readonly hosts: readonly string[]
  readonly ports: readonly number[]
  readonly methods: readonly string[]
  /** A path has to be one of these, or below it. */
  readonly pathPrefixes: readonly string[]
  /** `Opaque`: as a connection whose bytes nobody reads, and in no other way. */
  readonly tls: 'Inspect' | 'Opaque'
}

/** One rule of `onViolation.rules`: reason codes or trailing-`*` globs → action. */
export type ViolationRule = {
  readonly source: Source
  readonly name: string
  readonly reasons: readonly string[]
  readonly action: Action
}

/** The compiled config of one agent at one generation. Plain data; the path compiles schemas and CEL when it loads it. */
export type Snapshot = {
  readonly agent: AgentKey
  /** Grows with every change of the folder or the cluster. */
  readonly generation: number
  /** `sha256:` over everything but generation. */
  readonly digest: string
  /** True when no accepted policy selects the agent. */
  readonly denyAll: boolean
  readonly role: string
  readonly mode: 'Enforce' | 'Audit'
  readonly labels: Readonly<Record<string, string>>
  /** `namespace/name` of the policies that made it, oldest first. */
  readonly policies: readonly string[]
  /** What a sidecar must be able to do to hold it. POLICY.md "Version skew". */
  readonly requiredCapabilities: readonly string[]
  readonly grants: readonly ToolGrant[]
  readonly denies: readonly ToolDeny[]
  readonly textTools: readonly TextTool[]
  readonly intents: { readonly allow: readonly IntentRule[]; readonly deny: readonly IntentRule[] }
  readonly providers: readonly ProviderGrant[]
  readonly servers: readonly ServerGrant[]
  readonly peers: readonly PeerGrant[]
  readonly callers: readonly CallerGrant[]
  /** The SPIFFE Workload API is served to the agent, key and all. Absent = it is closed. */
  readonly workloadApi?: 'Open'
  readonly egress: readonly EgressGrant[]
  readonly onViolation: { readonly action: Action; readonly rules: readonly ViolationRule[] }
}
