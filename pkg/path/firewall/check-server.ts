import {
  type AgentRef,
  type Finding,
  findingOf,
  type ServerGrant,
  type ServerRequest,
  type ToolDescriptor,
  type ToolPage,
} from '#pkg/model'
import { hiddenAt, shapeOf } from './hidden-text.ts'
import type { ServerKey, ToolDifference, ToolMemory } from './ports.ts'
import { isExact, type Rules } from './rules.ts'

const VISIBLE_ASCII = /^[!-~]+$/

/** Names that may be told. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** What a server asks of the agent has to be granted to it. */
export function checkAsk(rules: Rules, server: string, request: ServerRequest): readonly Finding[] {
  const grant = grantOf(rules, server)
  if (grant?.serverRequests.includes(request)) return []
  const rule = grant === null ? null : { policy: grant.source.policy, path: `${grant.source.path}.serverRequests` }
  return [findingOf('SERVER_REQUEST_NOT_GRANTED', 0, `asks for ${request}, which is not granted to the server`, rule)]
}

/** A tool that is not as it was pinned is not called, either, while its server may not drift. */
export function checkDrifted(
  tools: ToolMemory | undefined,
  rules: Rules,
  server: string,
  tool: string,
): readonly Finding[] {
  const grant = grantOf(rules, server)
  if (grant === null || tools === undefined) return []
  try {
    if (!tools.drifted(keyOf(grant), tool)) return []
  } catch {
    return [doubt('is a tool of a server whose pins cannot be read')]
  }
  return [found(grant, 'TOOL_DRIFT', 'is not as it was when its server was pinned')]
}

/** A page of a list of tools, and whom it is shown. */
export type Listing = { readonly agent: AgentRef; readonly server: string; readonly page: ToolPage }

/** What is wrong with a list of tools: drift from what is pinned, names that deceive, text that nobody sees. */
export function checkList(tools: ToolMemory | undefined, rules: Rules, listing: Listing): readonly Finding[] {
  const grant = grantOf(rules, listing.server)
  if (grant === null || tools === undefined) return [doubt('comes from a server of which nothing is known')]
  const key = keyOf(grant)
  try {
    const { agent, page } = listing
    const differences = tools.compare(key, { agent, page, pin: grant.pin })
    return [
      ...driftFindings(grant, differences),
      ...shadowFindings(grant, tools, rules, page.tools),
      ...lookAlikeFindings(grant, rules, page.tools),
      ...hiddenFindings(grant, page.tools),
    ]
  } catch {
    return [doubt('could not be compared with what is pinned, or the pin could not be written down')]
  }
}

const doubt = (detail: string): Finding => findingOf('CHECK_FAILED', 0, detail)

function grantOf(rules: Rules, server: string): ServerGrant | null {
  return rules.snapshot.servers.find(({ name }) => name === server) ?? null
}

function keyOf(grant: ServerGrant): ServerKey {
  const [namespace = ''] = grant.source.policy.split('/')
  return { namespace, name: grant.name }
}

/** A finding whose consequence the server's own entry decides. */
function found(grant: ServerGrant, reason: Finding['reason'], detail: string): Finding {
  const rule = { policy: grant.source.policy, path: `${grant.source.path}.onDrift` }
  return { ...findingOf(reason, 0, detail, rule), action: grant.onDrift }
}

function driftFindings(grant: ServerGrant, differences: readonly ToolDifference[]): readonly Finding[] {
  const of = (...kinds: readonly ToolDifference['kind'][]): readonly ToolDifference[] =>
    differences.filter(({ kind }) => kinds.includes(kind))
  const findings: Finding[] = []
  const drift = of('added', 'removed', 'changed', 'other-list')
  if (drift.length > 0) {
    findings.push(found(grant, 'TOOL_DRIFT', `is not as it was when its server was pinned: ${summaryOf(drift)}`))
  }
  const doubled = of('doubled')
  if (doubled.length > 0) findings.push(found(grant, 'TOOL_SHADOWED', `names a tool twice: ${namesOf(doubled)}`))
  if (of('endless').length > 0) {
    findings.push(found(grant, 'TOOL_PAGE_HIDDEN', 'has more pages or tools than are read, or pages in a circle'))
  }
  return findings
}

function summaryOf(drift: readonly ToolDifference[]): string {
  return (['added', 'changed', 'removed', 'other-list'] as const)
    .map((kind) => ({ kind, some: drift.filter((each) => each.kind === kind) }))
    .filter(({ some }) => some.length > 0)
    .map(({ kind, some }) =>
      kind === 'other-list' ? 'its digest is not that of the policy' : `${kind} ${namesOf(some)}`,
    )
    .join('; ')
}

/** Names that are told in one finding. */
const SHOWN = 5

/** A name that a server chose is payload, unless it is plain. */
function namesOf(some: readonly { readonly tool: string }[]): string {
  const shown = some.slice(0, SHOWN).map(({ tool }) => (PLAIN_NAME.test(tool) ? tool : '(a name that is not plain)'))
  return some.length > SHOWN ? `${shown.join(', ')} and ${some.length - SHOWN} more` : shown.join(', ')
}

/** Names that another server of this agent had first, and that the policy does not grant for this one by name. */
function shadowFindings(
  grant: ServerGrant,
  tools: ToolMemory,
  rules: Rules,
  page: readonly ToolDescriptor[],
): readonly Finding[] {
  const others = rules.snapshot.servers.filter(({ name }) => name !== grant.name)
  if (others.length === 0) return []
  const shadows = page.filter(({ name }) => {
    const granted = rules.grants.exact.get(name)?.some((entry) => entry.grant.server === grant.name)
    if (granted === true) return false
    const mine = tools.pinnedSince(keyOf(grant), name) ?? Number.POSITIVE_INFINITY
    return others.some((other) => (tools.pinnedSince(keyOf(other), name) ?? Number.POSITIVE_INFINITY) < mine)
  })
  if (shadows.length === 0) return []
  return [found(grant, 'TOOL_SHADOWED', `has tools that another server had first: ${namesOf(asTools(shadows))}`)]
}

const asTools = (page: readonly ToolDescriptor[]): readonly { readonly tool: string }[] =>
  page.map(({ name }) => ({ tool: name }))

/** Names that are not plain to the eye, and names that look like a granted one or like each other. */
function lookAlikeFindings(grant: ServerGrant, rules: Rules, page: readonly ToolDescriptor[]): readonly Finding[] {
  const granted = new Map<string, string>()
  for (const name of rules.grants.exact.keys()) if (isExact(name)) granted.set(shapeOf(name), name)
  const seen = new Map<string, string>()
  const alike = page.filter(({ name }) => {
    if (rules.grants.exact.has(name)) return false
    const shape = shapeOf(name)
    const twin = granted.get(shape) ?? seen.get(shape)
    seen.set(shape, name)
    return !VISIBLE_ASCII.test(name) || (twin !== undefined && twin !== name)
  })
  if (alike.length === 0) return []
  return [found(grant, 'TOOL_LOOK_ALIKE', `has tools whose names look like others: ${namesOf(asTools(alike))}`)]
}

function hiddenFindings(grant: ServerGrant, page: readonly ToolDescriptor[]): readonly Finding[] {
  const hiding = page.filter(({ value }) => hiddenAt(value) !== null)
  if (hiding.length === 0) return []
  return [found(grant, 'TOOL_TEXT_HIDDEN', `has descriptions with invisible characters: ${namesOf(asTools(hiding))}`)]
}
