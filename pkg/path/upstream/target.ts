import { SallyportError } from '#pkg/model/errors'

/** Where a provider is. */
export type Target = {
  /** Scheme, host and port: what a connection is opened to. */
  readonly origin: string
  /** Path of the base URL without a trailing slash; may be empty. */
  readonly basePath: string
  /** Path of the base URL as it is, at least `/`. */
  readonly path: string
  /** `host:port` for messages. */
  readonly label: string
  readonly secure: boolean
}

/**
 * Reads a provider's base URL: what one would give that provider's SDK. A trailing slash is tolerated.
 * @throws SallyportError SETTINGS_INVALID for another scheme than http(s), for credentials, a query or a fragment in it.
 */
export function readTarget(provider: string, baseUrl: string): Target {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null
  const wrong = url === null ? 'it is not a URL' : faultOf(url)
  if (url === null || wrong !== null)
    throw new SallyportError('SETTINGS_INVALID', `the base URL of provider "${provider}" is invalid: ${wrong}`, {
      fields: { provider },
    })
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? '443' : '80') : url.port
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    path: url.pathname,
    label: `${url.hostname}:${port}`,
    secure,
  }
}

function faultOf(url: URL): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'the scheme is neither http nor https'
  if (url.username !== '' || url.password !== '') return 'credentials do not belong in a URL; set the key instead'
  if (url.search !== '' || url.hash !== '') return 'it has a query or a fragment'
  return null
}

const REQUEST_PATH = /^\/[!-~]*$/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/

/**
 * The request target: base path + path, the query kept. The path was normalised when it came in; here that is only
 * asserted, since a path that climbs out of the base would reach an endpoint that nobody judged.
 * @throws SallyportError INTERNAL if the path is not canonical.
 */
export function joinPath(target: Target, path: string): string {
  const queryAt = path.indexOf('?')
  const bare = queryAt < 0 ? path : path.slice(0, queryAt)
  if (!REQUEST_PATH.test(path) || path.includes('#') || bare.includes('\\') || DOT_SEGMENT.test(bare))
    throw new SallyportError('INTERNAL', 'the request path is not canonical, so it is not sent upstream')
  return target.basePath + path
}
