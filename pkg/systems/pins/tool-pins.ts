import type { Log } from '#pkg/platform/log'
import type { ListedTool, ListingPage, Pin, PinnedServer, ToolDifference } from './contract.ts'
import { differingPaths, digestOf, listDigestOf } from './digest.ts'
import { Listings } from './listings.ts'
import { PinFiles } from './pin-files.ts'

/** What is pinned of the servers of one data folder. Each member throws SallyportError STATE_UNAVAILABLE. */
export type ToolPins = {
  /** Takes one page; pins the whole list at its first use. `pin` is the digest that the policy asks for, or null. */
  compare(server: PinnedServer, listing: AgentListing): readonly ToolDifference[]
  /** True for a tool that was not as pinned when its server last listed it. */
  drifted(server: PinnedServer, tool: string): boolean
  /** True while anything of this server is not as it was pinned. */
  hasDrifted(server: PinnedServer): boolean
  /** When this server got a tool of this name pinned: a number that grows; null = it has none. */
  pinnedSince(server: PinnedServer, tool: string): number | null
}

/** A page, whom it is shown, and what the policy asks for. */
export type AgentListing = { readonly agent: PinnedServer; readonly page: ListingPage; readonly pin: string | null }

/** Servers whose pins are held in memory; the one that was longest unused is read again. Default 256. */
const MAX_SERVERS = 256

/** Every tool of a server whose list has another digest than the policy asks for. */
const ALL = '*'

/** The pins of a data folder. Nothing is read before it is asked for. */
export function newToolPins(deps: { readonly log: Log }, options: { readonly dataDir: string }): ToolPins {
  return new Pins(deps.log, new PinFiles(options.dataDir))
}

class Pins implements ToolPins {
  readonly #log: Log
  readonly #files: PinFiles
  readonly #listings = new Listings()
  readonly #held = new Map<string, Pin | null>()

  constructor(log: Log, files: PinFiles) {
    this.#log = log
    this.#files = files
  }

  compare(server: PinnedServer, { agent, page, pin: asked }: AgentListing): readonly ToolDifference[] {
    const progress = this.#listings.take(server, agent, page)
    const known = this.#pinOf(server)
    const pin = known?.digest === NOTHING && asked === null ? null : known
    const whole = progress.whole ? [...(progress.listing?.tools.values() ?? [])] : null
    const doubled = progress.doubled.map((tool): ToolDifference => ({ kind: 'doubled', tool, paths: [] }))
    const odd = [...doubled, ...(progress.endless ? [ENDLESS] : [])]
    if (whole !== null && asked !== null && listDigestOf(whole) === asked) {
      this.#accept(server, pin, whole, asked)
      return odd
    }
    const other = whole !== null && asked !== null ? [OTHER_LIST] : []
    if (pin === null) {
      if (whole !== null && asked === null && odd.length === 0) this.#pinAnew(server, whole, this.#files.nextSince())
      if (other.length > 0) this.#distrust(server)
      return [...other, ...odd]
    }
    const drift = [...driftOf(pin, page, whole), ...other]
    this.#note(server, pin, { drift, whole, page })
    return [...drift, ...odd]
  }

  drifted(server: PinnedServer, tool: string): boolean {
    const drifted = this.#pinOf(server)?.drifted
    return drifted !== undefined && (drifted.has(tool) || drifted.has(ALL))
  }

  hasDrifted(server: PinnedServer): boolean {
    return (this.#pinOf(server)?.drifted.size ?? 0) > 0
  }

  pinnedSince(server: PinnedServer, tool: string): number | null {
    const pin = this.#pinOf(server)
    return pin?.tools.has(tool) === true ? pin.since : null
  }

  #pinOf(server: PinnedServer): Pin | null {
    const key = keyOf(server)
    const known = this.#held.get(key)
    const pin = known === undefined ? this.#files.read(server) : known
    this.#hold(key, pin)
    return pin
  }

  #hold(key: string, pin: Pin | null): void {
    this.#held.delete(key)
    this.#held.set(key, pin)
    const [oldest] = this.#held.keys()
    if (this.#held.size > MAX_SERVERS && oldest !== undefined) this.#held.delete(oldest)
  }

  #keep(server: PinnedServer, pin: Pin): void {
    this.#files.write(server, pin)
    this.#hold(keyOf(server), pin)
  }

  #pinAnew(server: PinnedServer, tools: readonly ListedTool[], since: number): void {
    const digest = listDigestOf(tools)
    const pinned = new Map(tools.map(({ name, value }) => [name, { digest: digestOf(value), value }]))
    this.#keep(server, { since, digest, tools: pinned, drifted: new Set() })
    this.#log.info('tools-pinned', { server: keyOf(server), tools: tools.length, digest })
  }

  /** The list is what the policy asks for: that is what is pinned from now on. */
  #accept(server: PinnedServer, pin: Pin | null, whole: readonly ListedTool[], asked: string): void {
    if (pin?.digest !== asked) this.#pinAnew(server, whole, pin?.since ?? this.#files.nextSince())
    else if (pin.drifted.size > 0) this.#keep(server, { ...pin, drifted: new Set() })
  }

  /** The very first list is not what the policy asks for: none of its tools is known. */
  #distrust(server: PinnedServer): void {
    const since = this.#files.nextSince()
    this.#keep(server, { since, digest: NOTHING, tools: new Map(), drifted: new Set([ALL]) })
    this.#log.warn('tools-drifted', { server: keyOf(server), pinned: NOTHING, diff: [OTHER_LIST], more: 0 })
  }

  /** Remembers which tools have drifted by now, and tells the difference. */
  #note(server: PinnedServer, pin: Pin, seen: Seen): void {
    const { drift, whole, page } = seen
    const bad = drift.filter(({ kind }) => kind !== 'removed').map(({ tool }) => tool)
    const listed = new Set(page.tools.map(({ name }) => name))
    const before = whole === null ? [...pin.drifted].filter((tool) => !listed.has(tool)) : []
    const drifted = new Set([...before, ...bad])
    const same = drifted.size === pin.drifted.size && [...drifted].every((tool) => pin.drifted.has(tool))
    if (!same) this.#keep(server, { ...pin, drifted })
    if (drift.length === 0) return
    this.#log.warn('tools-drifted', {
      server: keyOf(server),
      pinned: pin.digest,
      diff: drift.slice(0, SHOWN).map((each) => ({ ...each, tool: plainName(each.tool) })),
      more: Math.max(0, drift.length - SHOWN),
    })
  }
}

type Seen = {
  readonly drift: readonly ToolDifference[]
  readonly whole: readonly ListedTool[] | null
  readonly page: ListingPage
}

const keyOf = ({ namespace, name }: PinnedServer): string => `${namespace}/${name}`

/** The digest of a pin that holds no tools, since none was as the policy asked for. */
const NOTHING = ''

const ENDLESS: ToolDifference = { kind: 'endless', tool: '', paths: [] }
const OTHER_LIST: ToolDifference = { kind: 'other-list', tool: ALL, paths: [] }

/** Differences in one line of the log. */
const SHOWN = 32

/** A server chose the name: it may hold anything. */
function plainName(name: string): string {
  return /^[A-Za-z0-9_.*-]{1,64}$/.test(name) ? name : '(not plain)'
}

function driftOf(pin: Pin, page: ListingPage, whole: readonly ListedTool[] | null): readonly ToolDifference[] {
  const drift: ToolDifference[] = []
  for (const { name, value } of whole ?? page.tools) {
    const pinned = pin.tools.get(name)
    if (pinned === undefined) drift.push({ kind: 'added', tool: name, paths: [] })
    else if (pinned.digest !== digestOf(value)) {
      const paths = pinned.value === null ? [] : differingPaths(pinned.value, value)
      drift.push({ kind: 'changed', tool: name, paths })
    }
  }
  if (whole === null) return drift
  const names = new Set(whole.map(({ name }) => name))
  for (const name of pin.tools.keys()) if (!names.has(name)) drift.push({ kind: 'removed', tool: name, paths: [] })
  return drift
}
