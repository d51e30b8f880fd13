import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SallyportError } from '#pkg/model/errors'

/** How a request came in. Only the socket's owner can open it, so it needs no token. */
export type Entry =
  | { readonly kind: 'socket' }
  | {
      readonly kind: 'tcp'
      readonly port: number
      readonly token: string
      /** Is it the token of a session of the dashboard? */
      readonly isSession: (token: string) => boolean
    }

/**
 * Lets a request in or throws; answers who came, for the record: `socket:uid=0`, `token`, `dashboard`, or `nobody` where
 * no token is asked for. Over TCP the Host must name this very listener, or a page whose name was made to resolve to
 * 127.0.0.1 could ask through a person's browser; then the bearer token must fit.
 * `open`: what it asks for needs no token: it is judged there by another proof, or holds no data.
 * @throws SallyportError USAGE (Host), ADMIN_UNAUTHORIZED (token).
 */
export function admit(request: IncomingMessage, entry: Entry, open = false): string {
  if (entry.kind === 'socket') return `socket:uid=${process.getuid?.() ?? 'unknown'}`
  const hosts = request.headersDistinct['host'] ?? []
  const allowed = [`127.0.0.1:${entry.port}`, `localhost:${entry.port}`]
  if (hosts.length !== 1 || !allowed.includes((hosts[0] ?? '').toLowerCase()))
    throw new SallyportError('USAGE', `the Host header must be ${allowed.join(' or ')}`)
  if (open) return 'nobody'
  const given = request.headersDistinct['authorization'] ?? []
  const token = given.length === 1 ? /^Bearer ([!-~]{1,256})$/i.exec(given[0] ?? '')?.[1] : undefined
  if (token !== undefined && sameText(token, entry.token)) return 'token'
  if (token !== undefined && entry.isSession(token)) return 'dashboard'
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
