/**
 * address: host names, IP addresses and paths of URLs, each in exactly one reading.
 *
 * In:  text from a request, from a policy, or from DNS.
 * Out: a canonical host, port and path, or why there is none; what kind of network an IP address belongs to.
 * What two readers could take in two ways (another notation of an IP address, a confusable or escaped name, a path that
 * climbs) is refused, never repaired: what is judged is what is dialled. RFC 3986, RFC 5952, WHATWG URL.
 *
 * Never: I/O, a query of DNS, a policy, a piece of the text in a message.
 */
export { type Host, type HostReading, readHost, readPolicyHost } from './host.ts'
export { type AddressClass, addressClass } from './networks.ts'
export { type PathReading, prefixHolds, readPath } from './path.ts'
export {
  type Authority,
  type AuthorityReading,
  readAbsolute,
  readAuthority,
  type Target,
  type TargetReading,
} from './target.ts'
