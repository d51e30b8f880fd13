import { type AgentCard, type AgentRef, type Finding, findingOf, globMatches, type PeerGrant } from '#pkg/model'
import { readSignatures, type Signatures, UNSIGNED } from './card-signature.ts'
import { peerOf, pinOf } from './check-peer.ts'
import { hiddenAt, shapeOf } from './hidden-text.ts'
import type { FirewallDeps, ToolDifference, ToolMemory } from './ports.ts'
import type { Rules } from './rules.ts'

const VISIBLE_ASCII = /^[!-~]+$/

/** Names that may be told. */
const PLAIN_NAME = /^[A-Za-z0-9_.:-]{1,80}$/

/** A card, and whom it is shown. */
export type Showing = { readonly agent: AgentRef; readonly peer: string; readonly card: AgentCard }

type Given = Showing & { readonly grant: PeerGrant; readonly tools: ToolMemory }

type Json = Readonly<Record<string, unknown>>

/**
 * What is wrong with the card of another agent: a signature that does not verify, names that deceive, text that nobody
 * sees, drift from what is pinned. A card with another fault is not pinned.
 */
export function checkCard(
  { tools }: Pick<FirewallDeps, 'tools'>,
  rules: Rules,
  showing: Showing,
): readonly Finding[] | Promise<readonly Finding[]> {
  const grant = peerOf(rules, showing.peer)
  if (grant === null || tools === undefined) return [doubt('comes from an agent of which nothing is known')]
  const given: Given = { ...showing, grant, tools }
  const signatures = showing.card.value['signatures']
  if (signatures === undefined || signatures === null || (Array.isArray(signatures) && signatures.length === 0))
    return judged(given, UNSIGNED)
  return readSignatures(showing.card.value).then((read) => judged(given, read))
}

const doubt = (detail: string): Finding => findingOf('CHECK_FAILED', 0, detail)

function judged(given: Given, signatures: Signatures): readonly Finding[] {
  const { grant } = given
  if (signatures.wrong !== null) return [found(grant, 'PEER_CARD_SIGNATURE', signatures.wrong)]
  const faults = [...hiddenFindings(given), ...lookAlikeFindings(given)]
  if (faults.length > 0) return faults
  const unverified = signatures.unverified ? [unverifiedOf(grant)] : []
  try {
    return [...unverified, ...driftFindings(given, signatures.keys)]
  } catch {
    return [doubt('could not be compared with what is pinned, or the pin could not be written down')]
  }
}

/** The CRD has no word for what follows, so it is Deny, whatever `onViolation.action` says. */
function found(grant: PeerGrant, reason: Finding['reason'], detail: string): Finding {
  return { ...findingOf(reason, 0, detail, { policy: grant.source.policy, path: grant.source.path }), action: 'Deny' }
}

function unverifiedOf(grant: PeerGrant): Finding {
  const detail = 'has a signature without its key, which is not fetched; the card is pinned as it is'
  return { ...found(grant, 'PEER_CARD_UNVERIFIED', detail), action: 'Record' }
}

function hiddenFindings({ card, grant }: Given): readonly Finding[] {
  if (hiddenAt(card.value) === null) return []
  return [found(grant, 'PEER_CARD_TEXT_HIDDEN', 'holds invisible characters')]
}

/** Words in which letters of two scripts stand side by side. */
const MIXED =
  /\p{Script=Latin}[^\s]*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]|[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}][^\s]*\p{Script=Latin}/u

function lookAlikeFindings({ card, grant }: Given): readonly Finding[] {
  const skills = skillsOf(card.value)
  const names = [card.value, ...skills].map((one) => one['name']).filter((name) => typeof name === 'string')
  const seen = new Map<string, string>()
  const alike = skills.some((skill) => {
    const id = String(skill['id'] ?? '')
    const shape = shapeOf(id)
    const twin = seen.get(shape) ?? grant.skills.find((name) => shapeOf(name) === shape)
    seen.set(shape, id)
    return (id !== '' && !VISIBLE_ASCII.test(id)) || (twin !== undefined && !globMatches(twin, id))
  })
  if (!alike && !names.some((name) => MIXED.test(name))) return []
  return [
    found(grant, 'PEER_CARD_LOOK_ALIKE', 'has a name that looks like another, or letters of two scripts in one word'),
  ]
}

function skillsOf(card: Json): readonly Json[] {
  const skills = card['skills']
  return Array.isArray(skills)
    ? skills.filter((skill): skill is Json => typeof skill === 'object' && skill !== null)
    : []
}

/** What a card says, in whatever version; the rest is how it is reached. */
const SAYS = ['name', 'description', 'version', 'provider', 'documentationUrl', 'iconUrl'] as const
const SKILL_SAYS = ['id', 'name', 'description', 'tags', 'examples'] as const

function driftFindings(given: Given, keys: readonly string[]): readonly Finding[] {
  const { card, grant } = given
  const part = card.kind === 'extended' ? '/extended' : ''
  const { signatures: _signatures, ...rest } = card.value
  const skills = skillsOf(card.value)
  const says = [
    { name: 'card', value: picked(card.value, SAYS) },
    ...skills.map((skill) => ({ name: `skill:${String(skill['id'] ?? '')}`, value: picked(skill, SKILL_SAYS) })),
  ]
  const reached = [{ name: 'rest', value: rest }, ...keys.map((key) => ({ name: `key:${key}`, value: { key } }))]
  const drift = [
    ...compared(given, part, says),
    ...compared(given, `${part}/${card.version === '0.3' ? '0.3' : '1.0'}`, reached),
  ]
  if (drift.length === 0) return []
  return [found(grant, 'PEER_CARD_DRIFT', `is not as it was when it was pinned: ${summaryOf(drift)}`)]
}

type Listed = { readonly name: string; readonly value: Json }

function compared({ tools, agent, grant }: Given, part: string, listed: readonly Listed[]): readonly ToolDifference[] {
  return tools.compare(pinOf(grant, part), { agent, page: { tools: listed, cursor: null, next: null }, pin: null })
}

/** Members that are there; empty ones count as absent, since some writers leave them out. */
function picked(value: Json, names: readonly string[]): Json {
  const members = names.map((name) => [name, value[name]] as const)
  return Object.fromEntries(
    members.filter(([, one]) => !(one === undefined || one === null || one === '' || isBare(one))),
  )
}

const isBare = (value: unknown): boolean => Array.isArray(value) && value.length === 0

/** Differences that are told in one finding. */
const SHOWN = 5

function summaryOf(drift: readonly ToolDifference[]): string {
  const words = drift.map(({ kind, tool }) => `${kind} ${PLAIN_NAME.test(tool) ? tool : '(a name that is not plain)'}`)
  const shown = words.slice(0, SHOWN).join(', ')
  return words.length > SHOWN ? `${shown} and ${words.length - SHOWN} more` : shown
}
