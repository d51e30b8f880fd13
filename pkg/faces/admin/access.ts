import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SallyportError } from '#pkg/model/errors'

/** How a request came in. Only the socket's owner can open it, so it needs no token. */
export type Entry =
  | { readonly kind: 'socket' }
  | { readonly kind: 'tcp'; readonly port: number; readonly token: string }

/**
 * Lets a request in or throws. Over TCP the Host must name this very listener, or a page whose name was made to
 * resolve to 127.0.0.1 could ask through a person's browser; then the bearer token must fit.
 * `proven`: what it asks for is opened by a proof instead, and judged there.
 * @throws SallyportError USAGE (Host), ADMIN_UNAUTHORIZED (token).
 */
export function admit(request: IncomingMessage, entry: Entry, proven = false): void {
  if (entry.kind === 'socket') return
  const hosts = request.headersDistinct['host'] ?? []
  const allowed = [`127.0.0.1:${entry.port}`, `localhost:${entry.port}`]
  if (hosts.length !== 1 || !allowed.includes((hosts[0] ?? '').toLowerCase()))
    throw new SallyportError('USAGE', `the Host header must be ${allowed.join(' or ')}`)
  if (proven) return
  const given = request.headersDistinct['authorization'] ?? []
  const bearer = given.length === 1 ? /^Bearer ([!-~]{1,256})$/i.exec(given[0] ?? '') : null
  if (bearer?.[1] === undefined || !sameText(bearer[1], entry.token))
    throw new SallyportError(
      'ADMIN_UNAUTHORIZED',
      'the admin token is missing or wrong; send "Authorization: Bearer TOKEN" with the adminToken that "sallyctl up -o json" prints',
    )
}

/** Compares without telling by its time how much fits. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
