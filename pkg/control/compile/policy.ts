import {
  type Action,
  type CallerGrant,
  type EgressGrant,
  globMatches,
  INTENTS,
  type Intent,
  type IntentRule,
  isGlob,
  isIntent,
  type PeerGrant,
  type ProviderGrant,
  REASONS,
  type ServerGrant,
  type Source,
  type TextTool,
  type ToolDeny,
  type ToolGrant,
  type ViolationRule,
} from '#pkg/model'
import type { AgentPolicy } from '#pkg/model/api'
import { AGENT_POLICY_SCHEMA, type FieldPath, type Resource, type ResourceFault } from '#pkg/platform/resources'
import type { CompileChecks, Report } from './contract.ts'
import { checkEgress, checkUpgrades, egressOf, upgradesOf } from './egress.ts'
import { callersOf, checkPeers, peersOf } from './peers.ts'
import { checkServers, serversOf } from './servers.ts'
import { SUPPORTED_POLICY, unsupportedFields } from './supported.ts'

/** One policy in the words of the Snapshot. */
export type Part = {
  readonly resource: Resource<AgentPolicy>
  readonly role: string
  readonly mode: 'Enforce' | 'Audit'
  readonly activation: 'Automatic' | 'Manual'
  readonly workloadApi: 'Open' | 'Closed'
  readonly grants: readonly ToolGrant[]
  readonly denies: readonly ToolDeny[]
  readonly textTools: readonly TextTool[]
  readonly intents: { readonly allow: readonly IntentRule[]; readonly deny: readonly IntentRule[] }
  readonly providers: readonly ProviderGrant[]
  readonly servers: readonly ServerGrant[]
  readonly peers: readonly PeerGrant[]
  readonly callers: readonly CallerGrant[]
  readonly egress: readonly EgressGrant[]
  readonly action: Action
  readonly rules: readonly ViolationRule[]
}

type Spec = AgentPolicy['spec']

/** Reads one policy; its faults, if it has any, and then no part. */
export function readPolicy(
  resource: Resource<AgentPolicy>,
  checks: CompileChecks,
): { readonly part: Part | null; readonly faults: readonly ResourceFault[] } {
  const faults: ResourceFault[] = []
  const report: Report = (path, code, message) =>
    faults.push({ file: resource.file, ...resource.at(path), code, message })
  for (const { path, message } of unsupportedFields(AGENT_POLICY_SCHEMA, resource.value, SUPPORTED_POLICY)) {
    report(path, 'UnsupportedField', message)
  }
  const { spec } = resource.value
  checkTools(spec, checks, report)
  checkIntents(spec, report)
  checkProviders(spec, report)
  checkServers(spec, report)
  checkPeers(spec, report)
  checkEgress(spec, report)
  checkUpgrades(spec, report)
  checkViolations(spec, report)
  return { part: faults.length > 0 ? null : partOf(resource), faults }
}

function checkTools(spec: Spec, checks: CompileChecks, report: Report): void {
  for (const [index, tool] of (spec.tools?.allow ?? []).entries()) {
    const at = ['spec', 'tools', 'allow', index] as const
    checkGlob(tool.name, [...at, 'name'], report)
    for (const [place, intent] of (tool.intents ?? []).entries()) {
      if (!isIntent(intent)) report([...at, 'intents', place], 'Invalid', unknownIntent(intent))
    }
    const schema = tool.arguments?.schema
    const fault = schema === undefined ? null : checks.schema(schema)
    if (fault !== null) report([...at, 'arguments', 'schema'], 'Invalid', `the schema does not compile: ${fault}`)
    for (const [place, rule] of (tool.arguments?.rules ?? []).entries()) {
      const wrong = checks.cel(rule.expression)
      const path = [...at, 'arguments', 'rules', place, 'expression']
      if (wrong !== null) report(path, 'Invalid', `the expression of rule "${rule.name}" does not compile: ${wrong}`)
    }
  }
  for (const [index, tool] of (spec.tools?.deny ?? []).entries()) {
    checkGlob(tool.name, ['spec', 'tools', 'deny', index, 'name'], report)
  }
}

function checkGlob(glob: string, path: FieldPath, report: Report): void {
  if (!isGlob(glob))
    report(path, 'Invalid', `"${glob}" has a "*" that is not at its end; exact names and trailing-* globs are known`)
}

function unknownIntent(intent: string): string {
  return `"${intent}" is no intent; known: ${INTENTS.join(', ')}, custom.<name>`
}

function checkIntents(spec: Spec, report: Report): void {
  for (const list of ['allow', 'deny'] as const) {
    for (const [index, intent] of (spec.intents?.[list] ?? []).entries()) {
      if (!isIntent(intent) && !isIntentGlob(intent)) {
        report(['spec', 'intents', list, index], 'Invalid', unknownIntent(intent))
      }
    }
  }
}

/** A glob of intents that exist, or that may be declared. */
function isIntentGlob(text: string): boolean {
  if (!isGlob(text) || !text.endsWith('*')) return false
  return INTENTS.some((each) => globMatches(text, each)) || /^custom\.[a-z0-9-]{0,63}\*$/.test(text)
}

function checkProviders(spec: Spec, report: Report): void {
  for (const [index, provider] of (spec.llm?.providers ?? []).entries()) {
    const at = ['spec', 'llm', 'providers', index] as const
    if (provider.host !== undefined && !isHost(provider.host))
      report([...at, 'host'], 'Invalid', 'a host is a name or an address, and a port if it is not 443')
    for (const [place, model] of (provider.models ?? []).entries()) checkGlob(model, [...at, 'models', place], report)
    for (const [place, tool] of (provider.hostedTools ?? []).entries()) {
      if (hostedToolOf(tool) !== null) continue
      report(
        [...at, 'hostedTools', place],
        'Invalid',
        'a hosted tool is a name, a trailing-* glob, or { name: mcp, serverUrls: [...] }',
      )
    }
  }
}

/** `https://HOST/v1` has to be that host and nothing else. */
function isHost(host: string): boolean {
  const url = URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`) : null
  return url !== null && /^[a-z0-9.:[\]-]+$/.test(host) && [url.host, `${url.host}:443`].includes(host)
}

function checkViolations(spec: Spec, report: Report): void {
  for (const [index, rule] of (spec.onViolation?.rules ?? []).entries()) {
    for (const [place, reason] of rule.reasons.entries()) {
      const known = isGlob(reason) && Object.keys(REASONS).some((code) => globMatches(reason, code))
      if (known) continue
      const path = ['spec', 'onViolation', 'rules', index, 'reasons', place]
      report(path, 'Invalid', `"${reason}" is no reason, and no glob of one; docs/reference/reasons.md lists them`)
    }
  }
}

type HostedTool = ProviderGrant['hostedTools'][number]

function hostedToolOf(value: unknown): HostedTool | null {
  if (typeof value === 'string') {
    return isGlob(value) && value.length <= MAX_HOSTED_NAME ? { name: value, serverUrls: [] } : null
  }
  if (typeof value !== 'object' || value === null) return null
  const { name, serverUrls, ...rest } = value as Readonly<Record<string, unknown>> // checked in the line above
  if (name !== 'mcp' || Object.keys(rest).length > 0 || !Array.isArray(serverUrls)) return null
  if (serverUrls.length > MAX_SERVER_URLS || !serverUrls.every(isServerUrl)) return null
  return { name, serverUrls }
}

/** The schema cannot bound what is a string or an object: these stand for its maxLength and maxItems. */
const MAX_HOSTED_NAME = 128
const MAX_SERVER_URLS = 64
const MAX_URL = 2_048

function isServerUrl(url: unknown): url is string {
  return typeof url === 'string' && url.length <= MAX_URL && /^https?:\/\//i.test(url) && URL.canParse(url)
}

function partOf(resource: Resource<AgentPolicy>): Part {
  const { spec } = resource.value
  const source = (path: string): Source => ({ policy: resource.key, path })
  const intentRules = (list: 'allow' | 'deny'): readonly IntentRule[] =>
    (spec.intents?.[list] ?? []).map((intent, index) => ({ source: source(`intents.${list}[${index}]`), intent }))
  return {
    resource,
    role: spec.role,
    mode: spec.mode ?? 'Enforce',
    activation: spec.activation ?? 'Automatic',
    workloadApi: spec.pod?.workloadApi ?? 'Closed',
    grants: (spec.tools?.allow ?? []).map((tool, index) => ({
      source: source(`tools.allow[${index}]`),
      name: tool.name,
      server: tool.server ?? '',
      execution: executionOf(tool.execution),
      intents: tool.intents === undefined ? null : (tool.intents as readonly Intent[]), // each was checked
      resultTrust: tool.resultTrust ?? 'Untrusted',
      schema: tool.arguments?.schema ?? null,
      rules: (tool.arguments?.rules ?? []).map(({ name, expression, message }) => ({
        name,
        expression,
        message: message ?? '',
      })),
    })),
    denies: (spec.tools?.deny ?? []).map((tool, index) => ({
      source: source(`tools.deny[${index}]`),
      name: tool.name,
      server: tool.server ?? '',
    })),
    textTools: (spec.textTools ?? []).map(({ fence, tag }) =>
      fence === undefined ? { kind: 'tag', word: tag ?? '' } : { kind: 'fence', word: fence },
    ),
    intents: { allow: intentRules('allow'), deny: intentRules('deny') },
    providers: (spec.llm?.providers ?? []).map((provider, index) => ({
      source: source(`llm.providers[${index}]`),
      name: provider.name,
      type: provider.type,
      ...(provider.host === undefined ? {} : { host: provider.host }),
      models: provider.models ?? [],
      hostedTools: (provider.hostedTools ?? []).map(hostedToolOf).filter((tool) => tool !== null),
      opaque: upgradesOf(provider),
    })),
    servers: serversOf(resource),
    peers: peersOf(resource),
    callers: callersOf(resource),
    egress: egressOf(resource),
    action: spec.onViolation?.action ?? 'Deny',
    rules: (spec.onViolation?.rules ?? []).map((rule, index) => ({
      source: source(`onViolation.rules[${index}]`),
      name: rule.name,
      reasons: rule.reasons,
      action: rule.action,
    })),
  }
}

/** What the schema allows besides was refused before. */
function executionOf(execution: string | undefined): ToolGrant['execution'] {
  return execution === 'output' || execution === 'mcp' ? execution : 'local'
}
