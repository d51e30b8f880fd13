import { globMatches, type Intent, type ProviderGrant, type ProviderType } from '#pkg/model'
import type { ObservedAgent, ObservedArgument, ObservedTool } from '#pkg/systems/observed'

/** A policy, as YAML takes it, and what a person should read above it. */
export type Suggestion = { readonly policy: Readonly<Record<string, unknown>>; readonly notes: readonly string[] }

/** What was refused, once for each tool and reason. */
export type RefusedKind = { readonly tool: string | null; readonly reason: string | null; readonly count: number }

/** An argument has to be the same this often before it is taken for fixed. */
const CONSTANT_FROM = 3

/** Of a tool or a model: nothing that a policy would read as a pattern. */
const PLAIN_NAME = /^[A-Za-z0-9_.:/@+-]{1,128}$/

const PROVIDER_NAMES: Readonly<Record<ProviderType, string>> = {
  OpenAI: 'openai',
  Anthropic: 'anthropic',
  Gemini: 'gemini',
  OpenAICompatible: 'openai-compatible',
}

/**
 * The least policy under which an agent could do again what it did. It is never wider than the rules that held then: the
 * schemas, CEL rules, denials and violations of those are kept. What was refused is told in the notes and granted nowhere.
 */
export function suggest(observed: ObservedAgent, refused: readonly RefusedKind[]): Suggestion {
  const { snapshot } = observed
  const [namespace = '', name = ''] = snapshot.agent.split('/')
  const tools = observed.tools.filter(isPlain).map(toolEntry)
  const spec = {
    selector: { matchLabels: snapshot.labels },
    role: snapshot.role,
    ...some(
      'textTools',
      snapshot.textTools.map(({ kind, word }) => ({ [kind]: word })),
    ),
    llm: { providers: providersOf(observed) },
    ...wrapped('mcp', 'servers', serversOf(observed)),
    ...wrapped('a2a', 'outbound', peersOf(observed)),
    ...some('egress', egressOf(observed)),
    intents: {
      ...some('allow', intentsOf(observed)),
      ...some(
        'deny',
        snapshot.intents.deny.map(({ intent }) => intent),
      ),
    },
    tools: {
      ...some('allow', tools),
      ...some(
        'deny',
        snapshot.denies.map(({ name: denied, server }) =>
          server === '' ? { name: denied } : { name: denied, server },
        ),
      ),
    },
    onViolation: {
      action: snapshot.onViolation.action,
      ...some(
        'rules',
        snapshot.onViolation.rules.map(({ name: rule, reasons, action }) => ({ name: rule, reasons, action })),
      ),
    },
  }
  const metadata = { name: `${name.slice(0, 53)}-suggested`, namespace }
  const policy = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'AgentPolicy', metadata, spec }
  return { policy, notes: notesOf(observed, refused) }
}

/** A name that an agent chose may not become a pattern, or what no policy file takes. */
function isPlain({ name }: { readonly name: string }): boolean {
  return PLAIN_NAME.test(name)
}

function toolEntry(tool: ObservedTool): Readonly<Record<string, unknown>> {
  const { server, execution, resultTrust, rules } = tool.frame
  const intents = intentsOfTool(tool)
  const schema = schemaOf(tool)
  const bounds = {
    ...(schema === null ? {} : { schema }),
    ...some(
      'rules',
      rules.map(({ name, expression, message }) => ({ name, expression, ...(message === '' ? {} : { message }) })),
    ),
  }
  return {
    name: tool.name,
    ...(server === '' ? {} : { server }),
    ...(execution === 'local' ? {} : { execution }),
    ...(intents === null ? {} : { intents }),
    ...(resultTrust === 'Untrusted' ? {} : { resultTrust }),
    ...(Object.keys(bounds).length === 0 ? {} : { arguments: bounds }),
  }
}

/** Of declared SQL effects those that were shown; of the others all, since arguments do not tell them. null = none is declared or shown. */
function intentsOfTool({ frame, intents, unread }: ObservedTool): readonly Intent[] | null {
  const declared = frame.intents
  if (unread) return declared
  if (declared === null) return intents.length === 0 ? null : intents
  const kept = declared.filter((intent) => !intent.startsWith('sql.') || intents.includes(intent))
  return intents.length === 0 ? declared : kept
}

/** null where nothing is known of the arguments, and the entry asks for nothing. */
function schemaOf(tool: ObservedTool): unknown {
  const own = tool.frame.schema ?? null
  if (tool.arguments === null) return own
  const all = Object.entries(tool.arguments)
  const required = all.filter(([, argument]) => argument.count === tool.calls).map(([name]) => name)
  const seen = {
    type: 'object',
    ...some('required', required),
    additionalProperties: false,
    properties: Object.fromEntries(all.map(([name, argument]) => [name, shapeOf(argument)])),
  }
  return own === null ? seen : { type: 'object', allOf: [own, seen] }
}

function shapeOf({ types, constant, count }: ObservedArgument): unknown {
  if (constant !== null && count >= CONSTANT_FROM) return { const: JSON.parse(constant) }
  const [only] = types
  return { type: types.length === 1 ? only : types }
}

/** What a granted tool could show or declares, as far as the rules allow it. */
function intentsOf({ tools, snapshot }: ObservedAgent): readonly Intent[] {
  const plain = tools.filter(isPlain)
  const wanted = new Set(plain.flatMap((tool) => [...(intentsOfTool(tool) ?? [])]))
  for (const tool of plain) if (tool.unread) for (const intent of tool.intents) wanted.add(intent)
  return [...wanted].filter((intent) => snapshot.intents.allow.some((rule) => globMatches(rule.intent, intent))).sort()
}

/** An entry for each of the policy's that granted a model which was used: what another entry of its type has, that one has not. */
function providersOf({ models, snapshot }: ObservedAgent): readonly unknown[] {
  return Object.entries(models).flatMap(([key, seen]) => {
    const type = key as ProviderType // the keys of `models` are nothing else
    const plain = seen.filter((model) => PLAIN_NAME.test(model))
    const ofType = snapshot.providers.filter((one) => one.type === type)
    const entryOf = (model: string): ProviderGrant | undefined =>
      ofType.find((one) => one.models.some((glob) => globMatches(glob, model)))
    const used = new Set(plain.map(entryOf))
    if (used.size === 0) used.add(ofType.at(0))
    return [...used].map((entry) =>
      providerEntry(
        type,
        entry,
        plain.filter((model) => entryOf(model) === entry),
      ),
    )
  })
}

function providerEntry(type: ProviderType, entry: ProviderGrant | undefined, models: readonly string[]): unknown {
  const host = entry?.host === undefined ? {} : { host: entry.host }
  const hosted = entry?.hostedTools.map(({ name, serverUrls }) =>
    serverUrls.length === 0 ? name : { name, serverUrls },
  )
  const known = { name: entry?.name ?? PROVIDER_NAMES[type], type, ...host }
  return { ...known, ...some('models', models), ...some('hostedTools', hosted ?? []) }
}

function serversOf({ servers, snapshot }: ObservedAgent): readonly unknown[] {
  return snapshot.servers
    .filter(({ name }) => servers.includes(name))
    .map(({ name, url, onDrift, pin, serverRequests }) => {
      return { name, url, onDrift, ...(pin === null ? {} : { pin }), ...some('serverRequests', serverRequests) }
    })
}

function peersOf({ peers, snapshot }: ObservedAgent): readonly unknown[] {
  return snapshot.peers
    .filter(({ name }) => peers.includes(name))
    .map(({ name, agent, url, skills }) => ({ name, agent, url, ...some('skills', skills) }))
}

/** The entries that were used, with the hosts, ports and methods that were. */
function egressOf({ hosts, snapshot }: ObservedAgent): readonly unknown[] {
  return snapshot.egress.flatMap(({ name, hosts: granted, ports, methods, pathPrefixes, tls }) => {
    const used = granted.filter((host) => ports.some((port) => Object.hasOwn(hosts, `${host}:${port}`)))
    if (used.length === 0) return []
    const usedPorts = ports.filter((port) => used.some((host) => Object.hasOwn(hosts, `${host}:${port}`)))
    const seen = new Set(used.flatMap((host) => usedPorts.flatMap((port) => hosts[`${host}:${port}`] ?? [])))
    const opaque = tls === 'Opaque' ? { tls } : { methods: methods.filter((method) => seen.has(method)), pathPrefixes }
    return [{ name, hosts: used, ports: usedPorts, ...opaque }]
  })
}

function notesOf(observed: ObservedAgent, refused: readonly RefusedKind[]): readonly string[] {
  const { snapshot, since, until, calls } = observed
  const notes = [
    `Suggested from what ${snapshot.agent} did and was let do: ${calls} calls, ${since} to ${until}.`,
    `Rules of ${snapshot.policies.join(', ')} that bound it are kept. Read it, try it with "policy check", and put it in their place:`,
    'beside them it would take nothing away, since grants add up.',
  ]
  if (observed.incomplete)
    notes.push('NOT COMPLETE: more was seen than is kept; what is missing here would be refused.')
  for (const { name } of observed.tools.filter((tool) => tool.arguments === null))
    notes.push(`The arguments of "${name}" were too large to be looked at: their shape is not bounded.`)
  const odd = observed.tools.filter((tool) => !isPlain(tool)).length
  if (odd > 0) notes.push(`${odd} tools have names that cannot stand in a policy as they are: they are left out.`)
  if (refused.length > 0) notes.push('Refused, and not granted here either:')
  for (const { tool, reason, count } of refused) notes.push(`  ${count}x  ${tool ?? 'request'}  ${reason ?? '-'}`)
  return notes
}

/** The list under its name, or nothing where it is empty. */
function some(name: string, list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return list.length === 0 ? {} : { [name]: list }
}

function wrapped(outer: string, name: string, list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return list.length === 0 ? {} : { [outer]: { [name]: list } }
}
