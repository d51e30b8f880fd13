import type { EgressGrant, ProviderGrant } from '#pkg/model'
import type { AgentPolicy } from '#pkg/model/api'
import { addressClass, type Host, readPath, readPolicyHost } from '#pkg/platform/address'
import type { FieldPath, Resource, ResourceFault } from '#pkg/platform/resources'
import type { Report } from './contract.ts'

type Spec = AgentPolicy['spec']
type Entry = NonNullable<Spec['egress']>[number]

const METHOD = /^[A-Z][A-Z-]*$/
/** Not asked of another host: CONNECT comes from `tls: Opaque`, TRACE tells a client its own credentials. */
const NO_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE'])

/** Where the providers are, unless settings say otherwise. */
const PROVIDER_HOSTS: readonly string[] = ['api.openai.com', 'api.anthropic.com', 'generativelanguage.googleapis.com']

/** Reports what is wrong with `egress`. */
export function checkEgress(spec: Spec, report: Report): void {
  for (const [index, entry] of (spec.egress ?? []).entries()) {
    const at: FieldPath = ['spec', 'egress', index]
    for (const [place, host] of entry.hosts.entries()) {
      const read = readPolicyHost(host)
      if (!read.ok) report([...at, 'hosts', place], 'Invalid', `the host ${read.detail}`)
    }
    for (const [place, method] of (entry.methods ?? []).entries()) {
      if (METHOD.test(method) && !NO_METHODS.has(method)) continue
      const what = 'is no method that is sent to a host: methods are written in capitals, without CONNECT and TRACE'
      report([...at, 'methods', place], 'Invalid', `"${method}" ${what}`)
    }
    for (const [place, prefix] of (entry.pathPrefixes ?? []).entries()) {
      const read = readPath(prefix)
      if (!read.ok) report([...at, 'pathPrefixes', place], 'Invalid', `the prefix ${read.detail}`)
      else if (read.query !== '') report([...at, 'pathPrefixes', place], 'Invalid', 'the prefix has a query')
    }
    if (entry.tls === 'Opaque') checkOpaque(entry, at, report)
  }
}

/** Nobody sees methods and paths in an opaque connection: to write them down would promise what is not kept. */
function checkOpaque(entry: Entry, at: FieldPath, report: Report): void {
  const promises = (field: 'methods' | 'pathPrefixes', absent: readonly string[]): void => {
    const given = entry[field]
    if (given === undefined || given.join(' ') === absent.join(' ')) return
    report(
      [...at, field],
      'Invalid',
      `"${field}" is never seen in an opaque connection; leave it out, or use tls: Inspect`,
    )
  }
  promises('methods', ['GET', 'HEAD'])
  promises('pathPrefixes', ['/'])
}

/** The entries of a policy without faults. */
export function egressOf(resource: Resource<AgentPolicy>): readonly EgressGrant[] {
  return (resource.value.spec.egress ?? []).map((entry, index) => ({
    source: { policy: resource.key, path: `egress[${index}]` },
    name: entry.name,
    hosts: entry.hosts.flatMap((host) => hostOf(host)?.text ?? []),
    ports: entry.ports ?? [443],
    methods: entry.methods ?? ['GET', 'HEAD'],
    pathPrefixes: entry.pathPrefixes ?? ['/'],
    tls: entry.tls ?? 'Inspect',
  }))
}

function hostOf(text: string): Host | null {
  const read = readPolicyHost(text)
  return read.ok ? read.host : null
}

/** Reports upgrades that are not one request that opens a connection. */
export function checkUpgrades(spec: Spec, report: Report): void {
  for (const [index, provider] of (spec.llm?.providers ?? []).entries()) {
    for (const [place, { method, path, upgrade }] of (provider.opaque ?? []).entries()) {
      const at: FieldPath = ['spec', 'llm', 'providers', index, 'opaque', place]
      if (upgrade === undefined)
        report(at, 'UnsupportedField', 'an opaque endpoint without "upgrade: websocket" is not supported yet')
      else if (method !== 'GET')
        report([...at, 'method'], 'Invalid', 'a WebSocket is opened by GET, and by no other method')
      const read = readPath(path)
      if (!read.ok) report([...at, 'path'], 'Invalid', `the path ${read.detail}`)
      else if (read.query !== '')
        report([...at, 'path'], 'Invalid', 'the path has a query: all queries are let through')
    }
  }
}

/** The upgrades of one provider of a policy without faults. */
export function upgradesOf(provider: {
  readonly opaque?: readonly { readonly method: string; readonly path: string }[]
}) {
  const opaque: ProviderGrant['opaque'] = (provider.opaque ?? []).map(({ method, path }) => ({
    method,
    path,
    upgrade: 'websocket',
  }))
  return opaque
}

/** What a person should know of the entries of a policy: what passes uninspected, and what never opens. */
export function egressWarnings(resource: Resource<AgentPolicy>): readonly ResourceFault[] {
  const warnings: ResourceFault[] = []
  const warn = (path: FieldPath, message: string): void => {
    warnings.push({
      file: resource.file,
      ...resource.at(path),
      code: 'Invalid',
      message: `${resource.key}: ${message}`,
    })
  }
  const { spec } = resource.value
  const owned = ownedHosts(spec)
  for (const [index, entry] of (spec.egress ?? []).entries()) {
    for (const [place, text] of entry.hosts.entries()) {
      const host = hostOf(text)
      if (host === null) continue
      const at: FieldPath = ['spec', 'egress', index, 'hosts', place]
      if (owned.has(host.text)) warn(at, ownedText(entry, host.text))
      if (host.kind !== 'name' && addressClass(host.text) === 'forbidden')
        warn(at, `egress "${entry.name}" opens ${host.text}, which is an address that no name may lead to`)
    }
  }
  for (const [index, provider] of (spec.llm?.providers ?? []).entries()) {
    for (const [place, { path }] of (provider.opaque ?? []).entries()) {
      const at: FieldPath = ['spec', 'llm', 'providers', index, 'opaque', place]
      warn(at, `provider "${provider.name}" opens ${path} as a WebSocket: no call in it is judged`)
    }
  }
  return warnings
}

function ownedText({ name }: Entry, host: string): string {
  return `egress "${name}" names ${host}, which is refused there (EGRESS_OWNED): it has a facade of its own`
}

/** Hosts that have a facade: those of the providers, and of the servers that the policy names. */
function ownedHosts(spec: Spec): ReadonlySet<string> {
  const compatible = (spec.llm?.providers ?? []).flatMap(({ host }) => (host === undefined ? [] : `https://${host}/`))
  const urls = [...(spec.mcp?.servers ?? []), ...(spec.a2a?.outbound ?? [])].map(({ url }) => url).concat(compatible)
  return new Set([...PROVIDER_HOSTS, ...urls.flatMap((url) => (URL.canParse(url) ? new URL(url).hostname : []))])
}
