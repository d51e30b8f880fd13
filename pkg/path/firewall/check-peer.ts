import { type Finding, findingOf, globMatches, type PeerGrant, type Said } from '#pkg/model'
import { reachesHost } from './check-egress.ts'
import { deniedEffect } from './check-intent.ts'
import { urlFault } from './check-url.ts'
import type { FirewallDeps, ServerKey } from './ports.ts'
import type { Rules } from './rules.ts'

/** What is said, by whom to whom. `caller`: the other one asked, by its entry among those who may; else the agent did. */
export type Saying = {
  readonly peer: string
  readonly caller?: string | undefined
  readonly said: Said
  readonly direction: 'ToPeer' | 'FromPeer'
}

type Deps = Pick<FirewallDeps, 'tools' | 'peerUrls'>

/** The grant of a peer, or null. */
export function peerOf(rules: Rules, name: string): PeerGrant | null {
  return rules.snapshot.peers.find((peer) => peer.name === name) ?? null
}

/** What is pinned of a peer's card: it stands beside the tools of servers, and no server has such a name. */
export function pinOf(grant: PeerGrant, part = ''): ServerKey {
  const [namespace = ''] = grant.source.policy.split('/')
  return { namespace, name: `a2a/${grant.name}${part}` }
}

/**
 * Checks 3 and 4 on what one agent says to another: the skills that it asks for, the addresses in it, and whether work
 * may be handed over at all, and to a peer whose card has changed.
 */
export function checkSaid(deps: Deps, rules: Rules, saying: Saying): readonly Finding[] {
  const { peer, caller, said, direction } = saying
  if (caller !== undefined) return urlFindings([], rules, said)
  const grant = peerOf(rules, peer)
  if (grant === null) return [findingOf('CHECK_FAILED', 0, 'goes to or comes from an agent of which nothing is known')]
  const urls = urlFindings(ownUrls(deps, grant), rules, said)
  if (direction === 'FromPeer') return urls
  return [
    ...(said.delegates ? driftFindings(deps, grant) : []),
    ...skillFindings(grant, said.skills),
    ...urls,
    ...(said.delegates ? deniedEffect(rules, 'agent.delegate', 'hands work to another agent') : []),
  ]
}

function driftFindings({ tools }: Deps, grant: PeerGrant): readonly Finding[] {
  if (tools === undefined) return []
  const rule = { policy: grant.source.policy, path: grant.source.path }
  try {
    if (!PINNED_PARTS.some((part) => tools.hasDrifted(pinOf(grant, part)))) return []
  } catch {
    return [findingOf('CHECK_FAILED', 0, 'goes to an agent whose pinned card cannot be read')]
  }
  const detail = 'goes to an agent whose card is not as it was when it was pinned'
  return [{ ...findingOf('PEER_CARD_DRIFT', 0, detail, rule), action: 'Deny' }]
}

/** What is pinned of a card: what it says, and for each version how it is reached; the same of the extended one. */
export const PINNED_PARTS = ['', '/0.3', '/1.0', '/extended', '/extended/0.3', '/extended/1.0'] as const

function skillFindings(grant: PeerGrant, skills: readonly string[]): readonly Finding[] {
  if (skills.every((skill) => grant.skills.some((glob) => globMatches(glob, skill)))) return []
  const rule = { policy: grant.source.policy, path: `${grant.source.path}.skills` }
  return [findingOf('PEER_SKILL_NOT_GRANTED', 0, 'asks for a skill of the other agent that is not granted', rule)]
}

function ownUrls(deps: Deps, grant: PeerGrant): readonly string[] {
  const set = deps.peerUrls !== undefined && Object.hasOwn(deps.peerUrls, grant.name) ? deps.peerUrls[grant.name] : null
  return [grant.url, ...(set === null || set === undefined ? [] : [set])]
}

/** Addresses that are neither one's own nor granted: of files, and of where to tell of a task. */
function urlFindings(own: readonly string[], rules: Rules, said: Said): readonly Finding[] {
  const reach = {
    own,
    others: (url: URL): boolean => reachesHost(rules, url),
  }
  const findings: Finding[] = []
  const judge = (what: string, url: string): void => {
    const fault = urlFault(url, reach)
    if (fault !== null) findings.push(findingOf('PEER_URL_NOT_GRANTED', 0, `has ${what} whose address ${fault}`))
  }
  for (const url of said.notify) judge('a notification', url)
  for (const part of said.parts) if (part.kind === 'file' && part.uri !== null) judge('a file', part.uri)
  return findings.slice(0, 1)
}
