import type { Ask, HostTarget, Reading, RequestView } from '#pkg/model'
import { valuesOf } from '#pkg/path/codec/wire/http1'
import { readAbsolute, readPath } from '#pkg/platform/address'

type Besides = NonNullable<RequestView['besides']>

/** Parameters of a query by which frameworks are told another method than that of the request line. */
const METHOD_NAMES: ReadonlySet<string> = new Set([
  ...['_method', '_httpmethod', 'x-http-method', 'x-http-method-override', 'x-method-override'],
])

const bad = (reason: 'EGRESS_ADDRESS_INVALID' | 'EGRESS_PATH_INVALID', detail: string): Reading<never> => ({
  ok: false,
  reason,
  at: 0,
  detail,
})

/**
 * What a request may do besides what its first line says: where COPY and MOVE write (RFC 4918 §10.3), and the method of a
 * query. A destination is on the same host.
 */
export function besidesOf({ headers, query }: Pick<Ask, 'headers' | 'query'>, target: HostTarget): Reading<Besides> {
  const methods: string[] = []
  for (const [name, value] of new URLSearchParams(query))
    if (METHOD_NAMES.has(name.toLowerCase())) methods.push(value.trim().toUpperCase())
  const [destination, ...more] = valuesOf(headers, 'destination')
  if (destination === undefined) return { ok: true, value: { methods, paths: [] } }
  if (more.length > 0) return bad('EGRESS_PATH_INVALID', 'has more than one destination header')
  if (destination.startsWith('/')) {
    const read = readPath(destination)
    if (!read.ok) return bad('EGRESS_PATH_INVALID', `has a destination header that ${read.detail}`)
    return { ok: true, value: { methods, paths: [read.path] } }
  }
  const read = readAbsolute(destination)
  if (!read.ok)
    return bad(
      read.part === 'path' ? 'EGRESS_PATH_INVALID' : 'EGRESS_ADDRESS_INVALID',
      `has a destination header that ${read.detail}`,
    )
  const { host, port, path, scheme } = read.target
  if (host.text !== target.host || port !== target.port || scheme !== target.scheme)
    return bad('EGRESS_ADDRESS_INVALID', 'has a destination header that names another host than its target')
  return { ok: true, value: { methods, paths: [path] } }
}
