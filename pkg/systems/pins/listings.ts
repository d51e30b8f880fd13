import type { ListedTool, ListingPage, PinnedServer } from './contract.ts'

/** One list while its pages come. */
export type Listing = {
  readonly tools: Map<string, ListedTool>
  readonly cursors: Set<string>
  pages: number
  /** Of all its descriptors, as JSON. */
  units: number
  /** Cursor of the page that is to come; null = the list is whole. */
  next: string | null
}

/** What a page did to its list. */
export type Progress = {
  /** The list from its first page on; null = the page stands alone, nobody saw what came before it. */
  readonly listing: Listing | null
  readonly whole: boolean
  readonly doubled: readonly string[]
  readonly endless: boolean
}

/** Lists that are being read at one time; the oldest is forgotten. */
const MAX_LISTINGS = 1_024
/** Pages and tools of one list. */
const MAX_PAGES = 64
const MAX_TOOLS = 4_096
/** UTF-16 units of the descriptors of one list, as JSON, and of all lists that wait for a page. */
const MAX_UNITS = 8 * 1024 * 1024
const MAX_OPEN_UNITS = 16 * 1024 * 1024

/** Follows the pages of lists, one list for each agent and server. */
export class Listings {
  readonly #open = new Map<string, Listing>()
  #openUnits = 0

  take(server: PinnedServer, agent: PinnedServer, page: ListingPage): Progress {
    const key = JSON.stringify([server.namespace, server.name, agent.namespace, agent.name])
    const listing = page.cursor === null ? fresh() : this.#open.get(key)
    if (listing === undefined || (page.cursor !== null && listing.next !== page.cursor)) {
      return { listing: null, whole: false, doubled: doublesOf(page), endless: false }
    }
    this.#forget(key)
    const doubled = page.tools.map(({ name }) => name).filter((name) => listing.tools.has(name))
    for (const tool of page.tools.slice(0, MAX_TOOLS + 1)) {
      listing.tools.set(tool.name, tool)
      listing.units += JSON.stringify(tool.value).length
    }
    listing.pages += 1
    const circle = page.next !== null && listing.cursors.has(page.next)
    const large = listing.tools.size > MAX_TOOLS || listing.units > MAX_UNITS
    const endless = circle || listing.pages > MAX_PAGES || large
    listing.next = page.next
    if (page.next !== null && !endless) {
      listing.cursors.add(page.next)
      this.#keep(key, listing)
    }
    const whole = page.next === null && !endless
    return { listing, whole, doubled: [...new Set([...doubled, ...doublesOf(page)])], endless }
  }

  #keep(key: string, listing: Listing): void {
    this.#open.set(key, listing)
    this.#openUnits += listing.units
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MAX_LISTINGS && this.#openUnits <= MAX_OPEN_UNITS) return
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    this.#openUnits -= this.#open.get(key)?.units ?? 0
    this.#open.delete(key)
  }
}

const fresh = (): Listing => ({ tools: new Map(), cursors: new Set(), pages: 0, units: 0, next: null })

function doublesOf(page: ListingPage): readonly string[] {
  const seen = new Set<string>()
  return page.tools.map(({ name }) => name).filter((name) => seen.has(name) || !seen.add(name))
}
