import { type Finding, findingOf, type HostTarget, type RequestView, type Snapshot } from '#pkg/model'
import type { HostDeps } from './ports.ts'

/** Addresses of the settings that have a facade, and those of agents' own servers, which have an edge. */
export type OwnedUrls = Pick<HostDeps, 'providerUrls' | 'serverUrls' | 'peerUrls' | 'calledUrls'>

/**
 * A provider, tool server, peer or called agent is not spoken to past its dialect, in plain HTTP or by CONNECT: its host has a
 * facade, or an edge. `policy check` warns of entries that name one.
 */
export function ownedFindings(deps: OwnedUrls, snapshot: Snapshot, { target }: RequestView): readonly Finding[] {
  if (target === undefined) return []
  const named = [...snapshot.servers, ...snapshot.peers].map(({ url }) => url)
  const compatible = snapshot.providers.flatMap(({ host }) => (host === undefined ? [] : [`https://${host}/`]))
  const { providerUrls, ...others } = deps
  const urls = [...providerUrls, ...Object.values(others).flatMap(Object.values<string>), ...named, ...compatible]
  if (!urls.some((url) => owns(url, target))) return []
  const detail = 'is for the host of a provider, tool server or agent, which is asked at its own facade'
  return [findingOf('EGRESS_OWNED', 0, detail)]
}

/** Names of one place. */
const THIS_MACHINE: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1'])

const WEB_PORTS: ReadonlySet<number> = new Set([80, 443])

/** Same host and port; the two ports of the web are one place. */
function owns(text: string, target: HostTarget): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const same = host === target.host || (THIS_MACHINE.has(host) && THIS_MACHINE.has(target.host))
  return same && (port === target.port || (WEB_PORTS.has(port) && WEB_PORTS.has(target.port)))
}
