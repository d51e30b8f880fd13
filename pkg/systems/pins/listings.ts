import type { ListedTool, ListingPage, PinnedServer } from './contract.ts'

/** One list while its pages come. */
export type Listing = {
  readonly tools: Map<string, ListedTool>
  readonly cursors: Set<string>
  pages: number
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

/** Follows the pages of lists, one list for each agent and server. */
export class Listings {
  readonly #open = new Map<string, Listing>()

  take(server: PinnedServer, agent: PinnedServer, page: ListingPage): Progress {
    const key = JSON.stringify([server.namespace, server.name, agent.namespace, agent.name])
    const listing = page.cursor === null ? fresh() : this.#open.get(key)
    if (listing === undefined || (page.cursor !== null && listing.next !== page.cursor)) {
      return { listing: null, whole: false, doubled: doublesOf(page), endless: false }
    }
    this.#open.delete(key)
    const doubled = page.tools.map(({ name }) => name).filter((name) => listing.tools.has(name))
    for (const tool of page.tools.slice(0, MAX_TOOLS + 1)) listing.tools.set(tool.name, tool)
    listing.pages += 1
    const circle = page.next !== null && listing.cursors.has(page.next)
    const endless = circle || listing.pages > MAX_PAGES || listing.tools.size > MAX_TOOLS
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
    if (this.#open.size <= MAX_LISTINGS) return
    for (const oldest of this.#open.keys()) {
      this.#open.delete(oldest)
      return
    }
  }
}

const fresh = (): Listing => ({ tools: new Map(), cursors: new Set(), pages: 0, next: null })

function doublesOf(page: ListingPage): readonly string[] {
  const seen = new Set<string>()
  return page.tools.map(({ name }) => name).filter((name) => seen.has(name) || !seen.add(name))
}
