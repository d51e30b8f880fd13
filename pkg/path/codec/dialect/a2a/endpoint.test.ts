import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { a2a } from './index.ts'

type Row = readonly [method: string, path: string, query: string, name: string | null]
const rows: readonly Row[] = [
  ['POST', '/research', '', 'rpc'],
  ['POST', '/research/', '', 'rpc'],
  ['POST', '/research', '?x=1', null],
  ['GET', '/research', '', null],
  ['PUT', '/research', '', null],
  ['POST', '/', '', null],
  ['POST', '/.hidden', '', null],
  ['GET', '/research/.well-known/agent-card.json', '', 'card'],
  ['POST', '/research/.well-known/agent-card.json', '', null],
  ['GET', '/research/.well-known/jwks.json', '', null],
  ['GET', '/research/acme/.well-known/agent-card.json', '', null],
  ['POST', '/research/message:send', '', 'send'],
  ['POST', '/research/message%3Asend', '', null],
  ['POST', '/research/message:stream', '', 'stream'],
  ['GET', '/research/message:stream', '', null],
  ['POST', '/research/v1/message:send', '', 'send'],
  ['POST', '/research/acme/message:send', '', 'send'],
  ['POST', '/research/acme/v1/message:send', '', null],
  ['POST', '/research/v1/acme/message:send', '', null],
  ['POST', '/research/tasks/message:send', '', null],
  ['GET', '/research/tasks', '', 'list'],
  ['GET', '/research/tasks', '?contextId=c&pageSize=10', 'list'],
  ['GET', '/research/tasks', '?contextId=c&contextId=d', null],
  ['GET', '/research/tasks', '?tenant=x', null],
  ['GET', '/research/tasks/t-1', '', 'get'],
  ['GET', '/research/tasks/t-1', '?historyLength=2', 'get'],
  ['GET', '/research/tasks/t-1', '?historyLength=2&history_length=3', null],
  ['DELETE', '/research/tasks/t-1', '', null],
  ['POST', '/research/tasks/t-1:cancel', '', 'cancel'],
  ['POST', '/research/tasks/t-1:cancel:cancel', '', null],
  ['GET', '/research/tasks/t-1:subscribe', '', 'subscribe'],
  ['POST', '/research/tasks/t-1:subscribe', '', 'subscribe'],
  ['POST', '/research/tasks/t-1:delete', '', null],
  ['POST', '/research/tasks/t-1/pushNotificationConfigs', '', 'notify-set'],
  ['GET', '/research/tasks/t-1/pushNotificationConfigs', '', 'notify-list'],
  ['GET', '/research/v1/tasks/t-1/pushNotificationConfigs/c', '', 'notify-get'],
  ['DELETE', '/research/tasks/t-1/pushNotificationConfigs/c', '', 'notify-remove'],
  ['GET', '/research/extendedAgentCard', '', 'extended-card'],
  ['GET', '/research/v1/card', '', 'extended-card'],
  ['GET', '/research/card', '', null],
  ['GET', '/research/tasks/a%2Fb', '', null],
  ['GET', '/research/tasks/%2e%2e', '', null],
  ['GET', '/research/tasks/%C3%28', '', null],
]
for (const [method, path, query, name] of rows) {
  test(`[PEER-04] ${method} ${path}${query}: ${name ?? 'nobody’s'}`, () => {
    const endpoint = a2a.endpointOf(method, path, query)
    assert.equal(endpoint?.name ?? null, name)
    if (endpoint === null) return
    assert.equal(endpoint.peer, 'research')
    assert.equal(endpoint.below?.path, name === 'rpc' ? '' : path.slice('/research'.length))
  })
}

test('[PEER-04] no path leads elsewhere than it says, whatever stands in it', () =>
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.constantFrom('GET', 'POST', 'DELETE'),
      (text, method) => {
        const endpoint = a2a.endpointOf(method, `/research${text}`, '')
        const below = endpoint?.below?.path ?? ''
        assert.ok(below === '' || `/${endpoint?.peer}${below}` === `/research${text}`)
        assert.doesNotMatch(below, /\/\.\.?(?:\/|$)|\\/)
      },
    ),
  ))
