import { type EgressGrant, type Finding, findingOf, type HostTarget, type RequestView } from '#pkg/model'
import { prefixHolds, readPath } from '#pkg/platform/address'
import { absenceOf } from './check-name.ts'
import type { Rules } from './rules.ts'

/** Check 3 on a request to another host: one entry of `egress` must grant all of it. */
export function egressFindings(rules: Rules, view: RequestView, target: HostTarget): readonly Finding[] {
  const there = rules.snapshot.egress.filter(
    ({ hosts, ports }) => ports.includes(target.port) && hosts.includes(target.host),
  )
  const [first] = there
  if (first === undefined) {
    const detail = 'goes to a host and port that are not granted'
    return [findingOf('EGRESS_NOT_GRANTED', 0, detail, absenceOf(rules, 'egress'))]
  }
  return target.scheme === 'tcp' ? tunnelFindings(there, first) : requestFindings(there, first, view, target)
}

function tunnelFindings(there: readonly EgressGrant[], first: EgressGrant): readonly Finding[] {
  if (there.some(({ tls }) => tls === 'Opaque')) return []
  const detail = 'asks by CONNECT for a host whose entry is to be inspected; ask for it as http:// in absolute form'
  return [findingOf('EGRESS_NOT_INSPECTABLE', 0, detail, ruleOf(first, 'tls'))]
}

function requestFindings(
  there: readonly EgressGrant[],
  first: EgressGrant,
  view: RequestView,
  target: HostTarget,
): readonly Finding[] {
  const inspected = there.filter(({ tls }) => tls === 'Inspect')
  const [entry] = inspected
  if (entry === undefined) {
    const detail = 'is in absolute form, and the entry of its host opens connections by CONNECT only (tls: Opaque)'
    return [findingOf('EGRESS_NOT_GRANTED', 0, detail, ruleOf(first, 'tls'))]
  }
  if (target.scheme === 'https') {
    const detail =
      'is for https, which is not inspected here; use http where the host serves it, or an entry with tls: Opaque'
    return [findingOf('EGRESS_NOT_INSPECTABLE', 0, detail, ruleOf(entry, 'tls'))]
  }
  const asked = [view.endpoint.method, ...(view.besides?.methods ?? [])]
  const able = inspected.filter(({ methods }) => asked.every((method) => methods.includes(method)))
  const [fit] = able
  if (fit === undefined) {
    const detail = 'has a method that is not granted for its host'
    return [findingOf('EGRESS_NOT_GRANTED', 0, detail, ruleOf(entry, 'methods'))]
  }
  const paths = [view.endpoint.path, ...(view.besides?.paths ?? [])]
  const holds = ({ pathPrefixes }: EgressGrant, path: string): boolean =>
    pathPrefixes.some((prefix) => prefixHolds(prefix, path))
  if (able.some((entry) => paths.every((path) => holds(entry, path)))) return []
  const detail = 'has a path that is not granted for its host'
  return [findingOf('EGRESS_NOT_GRANTED', 0, detail, ruleOf(fit, 'pathPrefixes'))]
}

/** May others be told to ask this address in the agent's name? Where the agent could ask it itself, whatever the method. */
export function reachesHost(rules: Rules, url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  return rules.snapshot.egress.some(
    ({ hosts, ports, pathPrefixes }) =>
      hosts.includes(host) &&
      ports.includes(port) &&
      pathPrefixes.some((prefix) => readPath(url.pathname).ok && prefixHolds(prefix, url.pathname)),
  )
}

const ruleOf = ({ source }: EgressGrant, field: string) => ({ policy: source.policy, path: `${source.path}.${field}` })
