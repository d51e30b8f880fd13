import { lookup } from 'node:dns/promises'
import type { HostTarget } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { addressClass, readHost } from '#pkg/platform/address'

/** Asks for all addresses of a name. The real one is the system's. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** Addresses that may be dialled; or the one that may not. */
export type Resolved =
  | { readonly ok: true; readonly addresses: readonly string[] }
  | { readonly ok: false; readonly detail: string }

/** Finds out where a granted host is, once for each request, and whether that may be dialled. */
export type Resolve = (target: HostTarget) => Promise<Resolved>

/** What resolving takes, and its limits. */
export type ResolveOptions = {
  /** Addresses by canonical name, in the place of what DNS says. They are set by whoever runs the process: any is dialled. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
  /** For the answer of DNS. Default 5,000. */
  readonly resolveTimeoutMs?: number
}

/** Names that no public zone holds: whoever grants one of them means a private network. */
const PRIVATE_NAMES = /\.(?:svc|cluster\.local|internal)$/

/** Addresses of one name that are looked at; more is a name that nobody serves in this way. */
const MAX_ADDRESSES = 64

/** The addresses of a name by the system's resolver, in its order. */
export const systemLookup: Lookup = async (name) => {
  const found = await lookup(name, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/**
 * Resolves a host that a policy grants. A literal is itself: the policy names it. Of a name every address must be public;
 * below `.svc`, `.cluster.local` and `.internal` it may be of a private network, but never of this machine, link-local or a
 * metadata service. What is returned is dialled, and nothing else: a second answer of DNS changes nothing.
 */
export function newResolve(ask: Lookup, { addresses, resolveTimeoutMs = 5_000 }: ResolveOptions): Resolve {
  return async ({ host }) => {
    const read = readHost(host.includes(':') ? `[${host}]` : host)
    if (read.ok && read.host.kind !== 'name') return { ok: true, addresses: [host] }
    const set = Object.hasOwn(addresses, host) ? addresses[host] : undefined
    if (set !== undefined) return { ok: true, addresses: set }
    const found = await within(ask(host), resolveTimeoutMs)
    const mayBePrivate = PRIVATE_NAMES.test(host)
    for (const address of found) {
      const is = addressClass(address)
      if (is !== 'public' && !(is === 'private' && mayBePrivate)) return { ok: false, detail: DETAILS[is] }
    }
    return { ok: true, addresses: found }
  }
}

const REMEDY = 'set it with --egress-address if it is meant'
const DETAILS = {
  private: `names a host that DNS leads to a private network; ${REMEDY}`,
  loopback: `names a host that DNS leads to this machine; ${REMEDY}`,
  forbidden: `names a host that DNS leads to a link-local, metadata, multicast or reserved address; ${REMEDY}`,
} as const

async function within(asked: Promise<readonly string[]>, timeoutMs: number): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SallyportError('UPSTREAM_TIMEOUT', `the name of the host did not resolve within ${timeoutMs} ms`))
    }, timeoutMs)
  })
  try {
    const found = await Promise.race([asked, late])
    if (found.length > 0 && found.length <= MAX_ADDRESSES) return found
  } catch (error) {
    if (error instanceof SallyportError) throw error
    throw new SallyportError('UPSTREAM_FAILED', 'the name of the host does not resolve', {
      fields: { cause: codeOf(error) },
    })
  } finally {
    clearTimeout(timer)
  }
  throw new SallyportError('UPSTREAM_FAILED', `the name of the host has no address, or more than ${MAX_ADDRESSES}`)
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'
}
