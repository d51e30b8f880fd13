import { readIpv4, readIpv6 } from './ip.ts'

/**
 * Whose network an address belongs to. `private`: RFC 1918, CGNAT, unique local. `forbidden`: link-local and with it the
 * metadata services of clouds, multicast, unspecified, reserved, and all that stands for another address in a way
 * that a network may or may not honour.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'forbidden'

type Block = readonly [first: string, bits: number, is: AddressClass]

/** Special IPv4 blocks. RFC 6890 and the registry of IANA. */
const V4: readonly Block[] = [
  ['0.0.0.0', 8, 'forbidden'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'forbidden'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'forbidden'],
  ['192.0.2.0', 24, 'forbidden'],
  ['192.88.99.0', 24, 'forbidden'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'forbidden'],
  ['198.51.100.0', 24, 'forbidden'],
  ['203.0.113.0', 24, 'forbidden'],
  ['224.0.0.0', 4, 'forbidden'],
  ['240.0.0.0', 4, 'forbidden'],
]

/** Addresses of metadata services that stand in networks which are otherwise `private`, or `public`. */
const METADATA: ReadonlySet<string> = new Set(['100.100.100.200', '168.63.129.16'])

const V4_BLOCKS = V4.map(([first, bits, is]) => ({ base: numberOf(readIpv4(first) ?? []), bits, is }))

/** The class of an IP address as DNS gives it, or as a literal; what is no address is `forbidden`. */
export function addressClass(text: string): AddressClass {
  const v4 = readIpv4(text)
  if (v4 !== null) return classOfV4(v4)
  const v6 = readIpv6(text)
  return v6 === null ? 'forbidden' : classOfV6(v6)
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

function classOfV4(bytes: readonly number[]): AddressClass {
  if (METADATA.has(bytes.join('.'))) return 'forbidden'
  const value = numberOf(bytes)
  for (const { base, bits, is } of V4_BLOCKS) {
    const size = 2 ** (32 - bits)
    if (value >= base && value < base + size) return is
  }
  return 'public'
}

function classOfV6(groups: readonly number[]): AddressClass {
  const [a = 0, b = 0] = groups
  const low = embedded(groups, 6)
  const leading = groups.findIndex((group) => group !== 0)
  if (leading === 7 && groups[7] === 1) return 'loopback'
  if (leading === 5 && groups[5] === 0xffff) return classOfV4(low) // v4-mapped
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return throughGateway(low) // NAT64
  if (a === 0x2002) return throughGateway(embedded(groups, 1)) // 6to4
  if (a >= 0xfc00 && a <= 0xfdff) return a === 0xfd00 && b === 0xec2 ? 'forbidden' : 'private'
  if (a < 0x2000 || a > 0x3fff) return 'forbidden'
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return 'forbidden' // Teredo, benchmarks, documentation, and the like
  return a === 0x3fff && b < 0x1000 ? 'forbidden' : 'public' // documentation
}

/** What a gateway would make of it is reached only where that is public: who is behind the gateway is not known here. */
function throughGateway(bytes: readonly number[]): AddressClass {
  return classOfV4(bytes) === 'public' ? 'public' : 'forbidden'
}

function embedded(groups: readonly number[], at: number): readonly number[] {
  const [high = 0, low = 0] = groups.slice(at, at + 2)
  return [high >> 8, high & 255, low >> 8, low & 255]
}
