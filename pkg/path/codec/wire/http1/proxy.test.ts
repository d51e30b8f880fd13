import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Headers } from '#pkg/model'
import { hostAnswerHeaders, hostRequestHeaders, isProxied, proxyTarget, proxyTokenOf } from './index.ts'

for (const [method, url, is] of [
  ['CONNECT', 'a.example:443', true],
  ['CONNECT', '/', true],
  ['GET', 'http://a.example/', true],
  ['GET', 'HTTPS://a.example/', true],
  ['GET', 'file:///etc', true],
  ['GET', 'a.example:443', true],
  ['GET', '/http://a.example/', false],
  ['GET', '*', false],
  ['GET', '', false],
  ['GET', '//a.example/', false],
] as const)
  test(`[EGR-01] ${method} ${url} is ${is ? '' : 'not '}for another host`, () =>
    assert.equal(isProxied(method, url), is))

type Row = readonly [method: string, url: string, headers: Headers, expected: string]
const rows: readonly Row[] = [
  ['GET', 'http://A.example', {}, 'http a.example 80 / '],
  ['GET', 'http://a.example/x?y', { host: 'a.example' }, 'http a.example 80 /x ?y'],
  ['GET', 'http://a.example/x', { host: 'A.EXAMPLE.:80' }, 'http a.example 80 /x '],
  ['GET', 'http://a.example:8080/', { host: 'a.example:8080' }, 'http a.example 8080 / '],
  ['GET', 'https://a.example/', { host: 'a.example' }, 'https a.example 443 / '],
  ['GET', 'https://a.example/', { host: 'a.example:443' }, 'https a.example 443 / '],
  ['CONNECT', 'a.example:443', { host: 'a.example:443' }, 'tcp a.example 443  '],
  ['CONNECT', 'a.example:443', { host: 'a.example' }, 'tcp a.example 443  '],
  ['CONNECT', '[::1]:443', { host: '[0::1]:443' }, 'tcp ::1 443  '],
  ['GET', 'http://a.example/', { host: 'b.example' }, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example/', { host: 'a.example:8080' }, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example:8080/', { host: 'a.example' }, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example/', { host: ['a.example', 'a.example'] }, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example/', { host: '' }, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example/', { host: 'a.example, b.example' }, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', 'a.example:443', { host: 'a.example:444' }, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', 'a.example', {}, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', 'http://a.example:443/', {}, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', 'a.example:443/x', {}, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', '/openai/v1', {}, 'EGRESS_ADDRESS_INVALID'],
  ['CONNECT', '', {}, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'a.example:443', {}, 'EGRESS_ADDRESS_INVALID'],
  ['GET', 'http://a.example/..', {}, 'EGRESS_PATH_INVALID'],
  ['GET', 'http://a.example/%2f', {}, 'EGRESS_PATH_INVALID'],
]
for (const [method, url, headers, expected] of rows)
  test(`[EGR-01] target of ${method} ${url} with ${JSON.stringify(headers)}`, () => {
    const read = proxyTarget(method, url, headers)
    const { target, path = '', query = '' } = read.ok ? read : { target: null }
    assert.equal(read.ok ? `${target?.scheme} ${target?.host} ${target?.port} ${path} ${query}` : read.reason, expected)
  })

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
for (const [what, given, token] of [
  ['the password', basic('agent:sp_vk_a'), 'sp_vk_a'],
  ['the user', basic('sp_vk_a:'), 'sp_vk_a'],
  ['an escaped underscore', basic('agent:sp%5Fvk%5fa'), 'sp_vk_a'],
  ['bearer', 'bearer sp_vk_a', 'sp_vk_a'],
  ['two that agree', [basic('x:sp_vk_a'), 'Bearer sp_vk_a'], 'sp_vk_a'],
  ['two that do not', [basic('x:sp_vk_a'), 'Bearer sp_vk_b'], null],
  ['two in one', basic('sp_vk_a:sp_vk_b'), null],
  ['three words', basic('a:b:sp_vk_a'), 'sp_vk_a'],
  ['no scheme', 'sp_vk_a', null],
  ['another scheme', 'Digest sp_vk_a', null],
  ['nothing', undefined, null],
] as const)
  test(`[EGR-09] a token as ${what}`, () =>
    assert.equal(proxyTokenOf(given === undefined ? {} : { 'proxy-authorization': given }), token))

test('[EGR-09] a token in a place of its own is not one of the proxy', () =>
  assert.equal(proxyTokenOf({ authorization: 'Bearer sp_vk_a', 'x-api-key': 'sp_vk_a' }), null))

test('[EGR-06] what goes to a host is what the client said to it', () => {
  const sent = hostRequestHeaders({
    ...{
      host: 'a',
      connection: 'x-hop, keep-alive',
      'x-hop': '1',
      'keep-alive': '1',
      te: 'x',
      upgrade: 'x',
      trailer: 'x',
    },
    ...{ 'proxy-authorization': 'x', 'proxy-connection': 'x', 'proxy-own': 'x', 'content-length': '1', expect: 'x' },
    ...{
      via: 'x',
      forwarded: 'x',
      'x-forwarded-for': 'x',
      'x-real-ip': 'x',
      'x-rewrite-url': '/',
      'x-http-method': 'PUT',
    },
    ...{ 'x-sallyport-labels': 'x', 'x-token': 'sp_vk_a', authorization: basic('a:sp_vk_a'), 'bad\n': 'x' },
    ...{ cookie: 'c', accept: '*/*', 'accept-encoding': 'gzip', range: 'bytes=0-1', 'content-encoding': 'gzip' },
  })
  assert.deepEqual(Object.keys(sent).sort(), ['accept', 'accept-encoding', 'content-encoding', 'cookie', 'range'])
  assert.deepEqual({ ...hostRequestHeaders({ authorization: basic('a:b') }) }, { authorization: basic('a:b') })
})

test('[EGR-06] what comes from a host is its own', () => {
  const got = hostAnswerHeaders({
    ...{
      connection: 'x-hop',
      'x-hop': '1',
      'transfer-encoding': 'chunked',
      'alt-svc': 'h3',
      'x-sallyport-verdict': 'v_1',
    },
    ...{ 'proxy-authenticate': 'Basic', 'content-length': '3', 'content-encoding': 'gzip', 'set-cookie': ['a', 'b'] },
    ...{ location: '/', 'content-range': 'x' },
  })
  assert.deepEqual(Object.keys(got).sort(), [
    ...['content-encoding', 'content-length', 'content-range', 'location', 'set-cookie'],
  ])
})
