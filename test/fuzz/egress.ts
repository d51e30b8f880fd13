import assert from 'node:assert/strict'
import { isProxied, proxyTarget, proxyTokenOf, readHeaders } from '#pkg/path/codec/wire/http1'
import { addressClass, readPath } from '#pkg/platform/address'
import type { Target } from './runner/target.ts'

/**
 * A proxied request: first line = method and target, then name: value. Whatever is read leads where the URL parser of the
 * web leads, and its path climbs nowhere.
 */
export const target: Target = {
  name: 'egress',
  words: [
    'http://',
    'https://',
    'CONNECT ',
    '[::ffff:127.0.0.1]',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '169.254.169.254',
    'xn--bcher-kva',
    'user:pass@',
    ':65536',
    '%2e%2e',
    '/..;/',
    '%252f',
    '\\',
    'host: ',
    'proxy-authorization: Basic ',
  ],
  run(bytes) {
    const [first = '', ...lines] = Buffer.from(bytes).toString('latin1').split('\n')
    const space = first.indexOf(' ')
    const [method, url] = [first.slice(0, Math.max(0, space)), first.slice(space + 1)]
    const listed = readHeaders(
      lines.flatMap((line) => [
        line.slice(0, Math.max(0, line.indexOf(':'))),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    )
    const headers = listed.ok ? listed.headers : {}
    const token = proxyTokenOf(headers)
    assert.ok(token === null || /^sp_vk_[A-Za-z0-9_-]+$/.test(token), 'a token of another shape')
    addressClass(url)
    if (!isProxied(method, url)) return 'not proxied'
    const read = proxyTarget(method, url, headers)
    if (!read.ok) return read.reason
    const { scheme, host, port } = read.target
    const web = new URL(scheme === 'tcp' ? `http://${url}` : url)
    assert.equal(web.hostname.replace(/^\[|\]$|\.$/g, ''), host, 'another host')
    assert.equal(Number(web.port || (scheme === 'https' ? 443 : 80)), port, 'another port')
    assert.equal(web.username + web.password, '', 'a user passed')
    if (scheme === 'tcp') return 'connect'
    assert.ok(readPath(read.path + read.query).ok, 'a path that is read only once')
    const query = read.query.replaceAll("'", '%27')
    assert.equal(web.href.slice(web.origin.length), read.path + query, 'another path')
    return scheme
  },
}
