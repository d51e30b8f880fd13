import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AddressClass,
  addressClass,
  prefixHolds,
  readAbsolute,
  readAuthority,
  readHost,
  readPath,
} from './index.ts'

const hosts: readonly (readonly [text: string, canonical: string | null])[] = [
  // names
  ['example.com', 'example.com'],
  ['EXAMPLE.Com', 'example.com'],
  ['example.com.', 'example.com'],
  ['a', 'a'],
  ['localhost', 'localhost'],
  ['my_service', 'my_service'],
  ['_dmarc.example.com', '_dmarc.example.com'],
  ['x-1.example', 'x-1.example'],
  ['otel.monitoring.svc', 'otel.monitoring.svc'],
  ['1password.com', '1password.com'],
  ['4.example', '4.example'],
  ['deadbeef', 'deadbeef'],
  ['0x.example', '0x.example'],
  [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  [`${'a'.repeat(64)}.example`, null],
  [[...Array(63).fill('abc'), 'a'].join('.'), [...Array(63).fill('abc'), 'a'].join('.')],
  [[...Array(63).fill('abc'), 'ab'].join('.'), null],
  ['', null],
  ['.', null],
  ['..', null],
  ['example..com', null],
  ['.example.com', null],
  ['example.com..', null],
  ['-a.example', null],
  ['a-.example', null],
  ['ab--cd.example', null],
  ['*.example.com', null],
  ['exa mple.com', null],
  ['example.com\r\nhost: b', null],
  ['example.com\t', null],
  ['example.com\0', null],
  ['example%2ecom', null],
  ['%65xample.com', null],
  ['example.com%00', null],
  ['exämple.com', null],
  ['ｅｘａｍｐｌｅ.com', null],
  ['example。com', null],
  ['example．com', null],
  ['example.com\u200b', null],
  ['ex\u00adample.com', null],
  ['еxample.com', null],
  ['example.com\\', null],
  ['example.com/', null],
  ['a@b', null],
  ['a,b', null],
  ['a;b', null],
  // punycode
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['xn--r8jz45g.jp', 'xn--r8jz45g.jp'],
  ['xn--80ak6aa92e.com', 'xn--80ak6aa92e.com'], // all Cyrillic: exactly this name, if the policy says so
  ['xn--pple-43d.com', null], // a Cyrillic letter among Latin ones
  ['xn--', null],
  ['xn--a', null],
  ['xn--example-.com', null],
  // IPv4
  ['127.0.0.1', '127.0.0.1'],
  ['8.8.8.8', '8.8.8.8'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['127.0.0.1.', null],
  ['127.1', null],
  ['127.0.1', null],
  ['2130706433', null],
  ['0', null],
  ['0x7f000001', null],
  ['0x7f.0.0.1', null],
  ['127.0.0.0x1', null],
  ['0X7F.1', null],
  ['0177.0.0.1', null],
  ['017700000001', null],
  ['127.0.0.01', null],
  ['00.0.0.0', null],
  ['256.0.0.1', null],
  ['1.2.3.4.5', null],
  ['1.2.3.', null],
  ['127.0.0.1.example', '127.0.0.1.example'],
  ['example.1', null],
  ['example.0x', null],
  ['example.0xff', null],
  ['１２７.0.0.1', null],
  ['①.0.0.1', null],
  // IPv6
  ['[::1]', '::1'],
  ['[0:0:0:0:0:0:0:1]', '::1'],
  ['[2001:DB8::0001]', '2001:db8::1'],
  ['[2606:4700:4700::1111]', '2606:4700:4700::1111'],
  ['[::]', '::'],
  ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
  ['[::ffff:7f00:1]', '::ffff:7f00:1'],
  ['[64:ff9b::10.0.0.1]', '64:ff9b::a00:1'],
  ['[1:0:0:2:0:0:0:3]', '1:0:0:2::3'],
  ['::1', null],
  ['[::1', null],
  ['[fe80::1%eth0]', null],
  ['[fe80::1%25eth0]', null],
  ['[1:2:3]', null],
  ['[1:2:3:4:5:6:7:8:9]', null],
  ['[1::2::3]', null],
  ['[:::1]', null],
  ['[12345::]', null],
  ['[::127.0.0.1.1]', null],
  ['[::0x7f.0.0.1]', null],
  ['[::ffff:0177.0.0.1]', null],
  ['[127.0.0.1]', null],
  ['[v1.x]', null],
  ['[]', null],
]
for (const [text, canonical] of hosts)
  test(`[EGR-01] host ${JSON.stringify(text.slice(0, 40))}`, () => {
    const read = readHost(text)
    assert.equal(read.ok ? read.host.text : null, canonical)
  })

const authorities: readonly (readonly [text: string, expected: string | null])[] = [
  ['example.com', 'example.com -'],
  ['example.com:443', 'example.com 443'],
  ['[::1]:8080', '::1 8080'],
  ['example.com:65535', 'example.com 65535'],
  ['example.com:65536', null],
  ['example.com:0', null],
  ['example.com:', null],
  ['example.com:080', null],
  ['example.com:+80', null],
  ['example.com: 80', null],
  ['example.com:8O', null],
  ['example.com:80:80', null],
  ['example.com:99999999999', null],
  ['user@example.com:443', null],
  ['user:pass@example.com:443', null],
  ['example.com:443@evil.example', null],
  ['example.com%3a443', null],
  [':443', null],
  ['[::1]443', null],
  ['[::1]]:443', null],
]
for (const [text, expected] of authorities)
  test(`[EGR-01] authority ${JSON.stringify(text)}`, () => {
    const read = readAuthority(text)
    assert.equal(read.ok ? `${read.authority.host.text} ${read.authority.port ?? '-'}` : null, expected)
  })

const urls: readonly (readonly [text: string, expected: string])[] = [
  ['http://example.com', 'http example.com 80 /'],
  ['http://example.com/', 'http example.com 80 /'],
  ['HTTP://EXAMPLE.COM/A?b=c', 'http example.com 80 /A?b=c'],
  ['https://example.com:8443/a', 'https example.com 8443 /a'],
  ['http://example.com?x=/../', 'http example.com 80 /?x=/../'],
  ['http://[::1]:3000/a', 'http ::1 3000 /a'],
  ['http://example.com#x', 'address'],
  ['http://example.com/a#x', 'address'],
  ['http:example.com', 'address'],
  ['http:/example.com', 'address'],
  ['http:///example.com', 'address'],
  ['http:\\\\example.com', 'address'],
  ['http://example.com\\@evil.example/', 'path'],
  ['http://user@example.com/', 'address'],
  ['http://example.com@evil.example/', 'address'],
  ['ftp://example.com/', 'address'],
  ['file:///etc/passwd', 'address'],
  ['gopher://example.com/', 'address'],
  ['ws://example.com/', 'address'],
  [' http://example.com/', 'address'],
  ['http://example.com/a b', 'path'],
  ['http://example.com/../a', 'path'],
]
for (const [text, expected] of urls)
  test(`[EGR-01] URL ${JSON.stringify(text)}`, () => {
    const read = readAbsolute(text)
    const { scheme, host, port, path, query } = read.ok ? read.target : { ...NOWHERE }
    assert.equal(read.ok ? `${scheme} ${host.text} ${port} ${path}${query}` : read.part, expected)
  })

const NOWHERE = { scheme: '', host: { text: '' }, port: 0, path: '', query: '' }

const paths: readonly (readonly [text: string, isRead: boolean])[] = [
  ['/', true],
  ['/repos/acme/', true],
  ['/a/b?c=%2e%2e/../', true],
  ['/a%20b', true],
  ['/a/%E2%82%AC', true],
  ['/a;v=1/b', true],
  ['/a/..b', true],
  ['/a/.hidden', true],
  ['/..', false],
  ['/../', false],
  ['/a/../b', false],
  ['/a/..', false],
  ['/a/./b', false],
  ['/a//b', false],
  ['//example.com', false],
  ['/a/..;/b', false],
  ['/a/..;x=1/b', false],
  ['/a/.;/b', false],
  ['/a/;/b', false],
  ['/a/..%3b/b', false],
  ['/a/%2e%2e/b', false],
  ['/a/%2E%2E/b', false],
  ['/a/.%2e/b', false],
  ['/a%2fb', false],
  ['/a%2Fb', false],
  ['/a%5cb', false],
  ['/a\\..\\b', false],
  ['/a%252e%252e/b', false],
  ['/a%25%32%66b', false],
  ['/a%00', false],
  ['/a%0d%0a', false],
  ['/a%c0%ae/b', false],
  ['/a%c0%afb', false],
  ['/a%', false],
  ['/a%4', false],
  ['/a%zz', false],
  ['/%61dmin', false],
  ['/a%u002e', false],
  ['/ａ', false],
  ['/a\r\nb', false],
  ['/a b', false],
  ['a', false],
  ['', false],
]
for (const [text, isRead] of paths)
  test(`[EGR-02] path ${JSON.stringify(text)}`, () => assert.equal(readPath(text).ok, isRead))

for (const [prefix, path, holds] of [
  ['/', '/anything', true],
  ['/repos/acme/', '/repos/acme/x', true],
  ['/repos/acme/', '/repos/acme', false],
  ['/repos/acme', '/repos/acme', true],
  ['/repos/acme', '/repos/acme/x', true],
  ['/repos/acme', '/repos/acme-two', false],
  ['/repos/acme', '/repos/acme;v=1', false],
  ['/repos/acme', '/REPOS/acme', false],
  ['/repos/acme', '/x/repos/acme', false],
] as const)
  test(`[EGR-02] ${path} below ${prefix}: ${holds}`, () => assert.equal(prefixHolds(prefix, path), holds))

const classes: readonly (readonly [address: string, is: AddressClass])[] = [
  ['8.8.8.8', 'public'],
  ['1.1.1.1', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['223.255.255.255', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fc00::1', 'private'],
  ['fd12:3456::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['0.0.0.0', 'forbidden'],
  ['0.1.2.3', 'forbidden'],
  ['169.254.169.254', 'forbidden'],
  ['169.254.0.1', 'forbidden'],
  ['::ffff:169.254.169.254', 'forbidden'],
  ['fd00:ec2::254', 'forbidden'],
  ['100.100.100.200', 'forbidden'],
  ['168.63.129.16', 'forbidden'],
  ['192.0.0.192', 'forbidden'],
  ['192.0.2.1', 'forbidden'],
  ['198.18.0.1', 'forbidden'],
  ['198.51.100.1', 'forbidden'],
  ['203.0.113.1', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['239.255.255.255', 'forbidden'],
  ['240.0.0.1', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['::', 'forbidden'],
  ['::127.0.0.1', 'forbidden'],
  ['::8.8.8.8', 'forbidden'],
  ['::ffff:0:127.0.0.1', 'forbidden'],
  ['64:ff9b::127.0.0.1', 'forbidden'],
  ['64:ff9b::10.0.0.1', 'forbidden'],
  ['64:ff9b::169.254.169.254', 'forbidden'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b:1::8.8.8.8', 'forbidden'],
  ['2002:7f00:1::', 'forbidden'],
  ['2002:a00:1::', 'forbidden'],
  ['2002:808:808::', 'public'],
  ['2001::1', 'forbidden'],
  ['2001:db8::1', 'forbidden'],
  ['3fff::1', 'forbidden'],
  ['100::1', 'forbidden'],
  ['fe80::1', 'forbidden'],
  ['fec0::1', 'forbidden'],
  ['ff02::1', 'forbidden'],
  ['fe80::1%lo', 'forbidden'],
  ['nonsense', 'forbidden'],
  ['', 'forbidden'],
]
for (const [address, is] of classes)
  test(`[EGR-03] ${address || 'nothing'} is ${is}`, () => assert.equal(addressClass(address), is))

/** Texts near to hosts: pieces that parsers disagree about. */
const pieces = fc.constantFrom(
  ...['a', 'Z', '0', '9', '.', '-', '_', '%', '2e', '0x', '7f', ':', '[', ']', '@', '\\', '/', '?', '#', ' ', '\t'],
  ...['xn--', 'bcher-kva', 'ä', 'ｅ', '。', '\u00ad', '\u200b', '::', 'ffff', '127.0.0.1', '443', 'com', '\0', '\n'],
)
const hostLike = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
  fc.string(),
  fc.domain(),
  fc.ipV6(),
)

test('[EGR-01] no host that is read is another host to the URL parser of the web', () => {
  fc.assert(
    fc.property(hostLike, (text) => {
      const read = readHost(text)
      if (!read.ok) return
      const { kind, text: host } = read.host
      const url = new URL(`http://${kind === 'ipv6' ? `[${host}]` : host}/`)
      assert.equal(url.hostname, kind === 'ipv6' ? `[${host}]` : host)
      const given = new URL(`http://${text}/`)
      assert.equal(given.hostname.replace(/\.$/, ''), url.hostname)
    }),
    { numRuns: RUNS },
  )
})

test('[EGR-01] no URL that is read leads elsewhere for the URL parser of the web', () => {
  fc.assert(
    fc.property(
      hostLike,
      fc.constantFrom('', ':80', ':8080', ':443', ':0', ':99999'),
      fc.webPath(),
      (host, port, path) => {
        const text = `http://${host}${port}${path}`
        const read = readAbsolute(text)
        if (!read.ok) return
        const url = new URL(text)
        assert.equal(url.hostname.replace(/^\[|\]$|\.$/g, ''), read.target.host.text)
        assert.equal(Number(url.port || 80), read.target.port)
        const query = read.target.query.replaceAll("'", '%27') // the web escapes it there, and an origin reads the same
        assert.equal(url.href.slice(url.origin.length), read.target.path + query)
      },
    ),
    { numRuns: RUNS },
  )
})

test('[EGR-01] an IPv6 address is canonical, and reading it again changes nothing', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const read = readHost(`[${text}]`)
      assert.ok(read.ok)
      assert.equal(new URL(`http://[${text}]/`).hostname, `[${read.host.text}]`)
      assert.deepEqual(readHost(`[${read.host.text}]`), read)
    }),
    { numRuns: RUNS },
  )
})

test('[EGR-02] a path that is read climbs nowhere, however often it is decoded', () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '%2e',
    '%2f',
    '/',
    '%25',
    '2e',
    ';',
    '%3b',
    '\\',
    '%5c',
    'a',
    '%E2%82%AC',
    '%c0%ae',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const text = `/${parts.join('')}`
      if (!readPath(text).ok) return
      let decoded = text
      for (let round = 0; round < 4; round += 1) {
        assert.ok(!/(?:^|[/\\])\.{1,2}(?:[/\\;]|$)/.test(decoded), decoded)
        decoded = decodeURIComponent(decoded)
      }
    }),
    { numRuns: RUNS },
  )
})

const RUNS = 1_000
