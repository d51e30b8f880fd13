/** Where agents may send each other. */
export type Reach = {
  /** Addresses of the peer itself: everything at their origin. */
  readonly own: readonly string[]
  readonly others: (url: URL) => boolean
}

const VISIBLE_ASCII = /^[!-~]{1,8192}$/
const AUTHORITY = /^(https?):\/\/([^/?#]*)/i

/**
 * What is wrong with an address that one agent tells another, who will ask for it; null = nothing. What two readers could
 * take for two hosts is refused, and so are machines without a name: to whom they belong nobody can say.
 */
export function urlFault(text: string, reach: Reach): string | null {
  if (!VISIBLE_ASCII.test(text) || text.includes('\\')) return 'has characters that no address has'
  const found = AUTHORITY.exec(text)
  if (found === null || !URL.canParse(text)) return 'is none of http or https'
  const url = new URL(text)
  const authority = (found[2] ?? '').toLowerCase()
  if (authority.includes('@')) return 'holds a user'
  const port = url.protocol === 'https:' ? '443' : '80'
  if (authority !== url.host && authority !== `${url.host}:${port}`) return 'has a host with two spellings'
  if (reach.own.some((own) => URL.canParse(own) && new URL(own).origin === url.origin)) return null
  if (reach.others(url)) return null
  return isUnnamed(url.hostname) ? 'names a machine by its number, or this one' : 'goes to a host that is not granted'
}

/** WHATWG has brought every notation of an IPv4 address to this one. */
function isUnnamed(host: string): boolean {
  if (/^\d{1,3}(?:\.\d{1,3}){3}\.?$/.test(host) || host.startsWith('[')) return true
  return /(?:^|\.)(?:localhost|local|internal)\.?$/.test(host) || !host.includes('.')
}
