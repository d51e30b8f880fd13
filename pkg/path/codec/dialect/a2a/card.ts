import { globMatches } from '#pkg/model'
import { asObject, type Json } from '#pkg/path/codec/wire/shape'
import { Doubt, known, listOf, member, objectOf, textOf } from './members.ts'

const CARD = known(
  'name',
  'description',
  'version',
  'url',
  'protocolVersion',
  'preferredTransport',
  'additionalInterfaces',
  'supportedInterfaces',
  'provider',
  'documentationUrl',
  'iconUrl',
  'capabilities',
  'securitySchemes',
  'security',
  'securityRequirements',
  'defaultInputModes',
  'defaultOutputModes',
  'skills',
  'signatures',
  'supportsAuthenticatedExtendedCard',
)
const INTERFACE = known('url', 'transport', 'protocolBinding', 'tenant', 'protocolVersion')
const SKILL = known('id', 'name', 'description', 'tags', 'examples', 'inputModes', 'outputModes', 'security')

const LISTS = ['supportedInterfaces', 'supported_interfaces', 'additionalInterfaces', 'additional_interfaces'] as const

/** A card whose members no two readers take for different things. */
export function checkCard(value: unknown): Json {
  const card = objectOf(value, CARD, 'a card')
  for (const name of ['supportedInterfaces', 'additionalInterfaces', 'preferredTransport', 'url']) member(card, name)
  for (const list of LISTS) for (const one of listOf(card, list)) interfaceOf(one)
  for (const skill of listOf(card, 'skills')) textOf(objectOf(skill, SKILL, 'a skill'), 'id')
  return card
}

/** What of a card a client is shown. */
export type Shown = {
  /** Where the client reaches the peer. */
  readonly address: string
  /** Where the peer is: interfaces elsewhere are left out, where one of them is here. */
  readonly urls: readonly string[]
  readonly skills: readonly string[]
}

type Interface = {
  readonly value: Json
  readonly url: string
  readonly binding: string
  readonly version: string | null
}

function interfaceOf(given: unknown): Interface {
  const value = objectOf(given, INTERFACE, 'an interface')
  const binding = (textOf(value, 'protocolBinding', 'transport') ?? 'JSONRPC').toUpperCase()
  return { value, url: textOf(value, 'url') ?? '', binding, version: textOf(value, 'protocolVersion') }
}

const BINDINGS = new Set(['JSONRPC', 'HTTP+JSON'])

const isRead = ({ binding, version }: Interface): boolean =>
  BINDINGS.has(binding) && (version === null || /^(?:0\.[23]|1\.0)(?:\.|$)/.test(version))

/** The card for the client: each address leads to the facade, and skills that it may not use are not told. The same value where nothing changes. */
export function shownCard(value: unknown, shown: Shown): unknown {
  const card = asObject(value)
  if (card === null) throw new Doubt('has a card that is no object')
  const changes: Record<string, unknown> = {}
  const here = new Set(shown.urls.map(bare))
  const isHere = (one: Interface): boolean => here.has(bare(one.url))
  const first = firstOf(card)
  const others = LISTS.flatMap((list) => listOf(card, list).map(interfaceOf)).filter(isRead)
  const some = [...(first === null ? [] : [first]), ...others].some((one) => isRead(one) && isHere(one))
  const keeps = (one: Interface): boolean => isRead(one) && (!some || isHere(one))
  for (const list of LISTS) {
    if (card[list] === undefined || card[list] === null) continue
    const before = listOf(card, list).map(interfaceOf)
    const after = before.filter(keeps)
    if (after.length === before.length && after.every((one) => one.url === shown.address)) continue
    changes[list] = after.map((one) => ({ ...one.value, url: shown.address }))
  }
  if (first !== null)
    Object.assign(changes, primary(card, first, others.filter(keeps), { keeps, address: shown.address }))
  const skills = listOf(card, 'skills')
  const granted = skills.filter((skill) => isGranted(skill, shown.skills))
  if (granted.length < skills.length) changes['skills'] = granted
  if (Object.keys(changes).length === 0) return value
  // a signature speaks of the card as it was
  const { signatures: _signatures, ...rest } = { ...card, ...changes }
  return rest
}

/** The interface that a 0.3 card names by itself. */
function firstOf(card: Json): Interface | null {
  const url = textOf(card, 'url')
  if (url === null) return null
  const binding = (textOf(card, 'preferredTransport') ?? 'JSONRPC').toUpperCase()
  return { value: {}, url, binding, version: null }
}

type Keeping = { readonly keeps: (one: Interface) => boolean; readonly address: string }

function primary(card: Json, first: Interface, others: readonly Interface[], { keeps, address }: Keeping): object {
  const changed = first.url === address ? {} : { url: address }
  const [other] = others
  if (keeps(first) || other === undefined) return changed
  const key = card['preferred_transport'] === undefined ? 'preferredTransport' : 'preferred_transport'
  return { ...changed, [key]: other.binding }
}

function isGranted(skill: unknown, globs: readonly string[]): boolean {
  const id = asObject(skill)?.['id']
  return typeof id === 'string' && globs.some((glob) => globMatches(glob, id))
}

function bare(url: string): string {
  return URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : url
}
