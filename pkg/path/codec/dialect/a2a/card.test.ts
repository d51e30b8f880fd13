import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCard, shownCard } from './card.ts'

const address = 'http://127.0.0.1:16080/a2a/research'
const shown = { address, urls: ['https://peer.example/a2a'], skills: ['summarize'] }
const skills = [{ id: 'summarize', name: 's' }]
const at = (url: string, protocolBinding = 'JSONRPC', protocolVersion = '1.0'): object => ({
  url,
  protocolBinding,
  protocolVersion,
})

type Row = readonly [what: string, card: object, expected: object]
const rows: readonly Row[] = [
  [
    'an interface here and one elsewhere',
    { supportedInterfaces: [at('https://peer.example/a2a/'), at('https://peer.example/rest', 'HTTP+JSON')], skills },
    { supportedInterfaces: [at(address)], skills },
  ],
  [
    'interfaces that are all elsewhere, as behind a proxy',
    { supportedInterfaces: [at('https://public.example'), at('https://public.example', 'HTTP+JSON')], skills },
    { supportedInterfaces: [at(address), at(address, 'HTTP+JSON')], skills },
  ],
  [
    'gRPC, another binding, another version',
    {
      supportedInterfaces: [
        at('https://peer.example/a2a', 'GRPC'),
        at('https://peer.example/a2a', 'WEBSOCKET'),
        at('https://peer.example/a2a', 'JSONRPC', '2.0'),
        at('https://peer.example/a2a', 'jsonrpc', '0.3.0'),
      ],
    },
    { supportedInterfaces: [at(address, 'jsonrpc', '0.3.0')] },
  ],
  [
    'spellings with underscores',
    { supported_interfaces: [{ url: 'https://public.example', protocol_binding: 'GRPC' }] },
    { supported_interfaces: [] },
  ],
  [
    'a card of 0.3',
    {
      url: 'https://peer.example/a2a',
      additionalInterfaces: [{ url: 'https://peer.example/a2a', transport: 'HTTP+JSON' }],
    },
    { url: address, additionalInterfaces: [{ url: address, transport: 'HTTP+JSON' }] },
  ],
  [
    'a card of 0.3 that prefers gRPC',
    {
      url: 'grpc://peer.example',
      preferredTransport: 'GRPC',
      additionalInterfaces: [{ url: 'https://peer.example/a2a', transport: 'HTTP+JSON' }],
    },
    { url: address, preferredTransport: 'HTTP+JSON', additionalInterfaces: [{ url: address, transport: 'HTTP+JSON' }] },
  ],
  ['a signature', { url: 'https://peer.example/a2a', signatures: [{ protected: 'x' }] }, { url: address }],
  [
    'skills that are not granted',
    { skills: [...skills, { id: 'delete', name: 'd' }, { name: 'none' }], signatures: [] },
    { skills },
  ],
]
for (const [what, card, expected] of rows) {
  test(`[PEER-06] ${what}: no address leads past the facade`, () => {
    assert.deepEqual(shownCard(checkCard(card), shown), expected)
  })
}

test('[PEER-06] a card in which nothing has to change is the same value', () => {
  const card = { name: 'x', url: address, supportedInterfaces: [at(address)], skills, signatures: [{}] }
  assert.equal(shownCard(card, shown), card)
})

const twofold: readonly (readonly [what: string, card: unknown])[] = [
  ['no object', 'card'],
  ['its address twice, but for case', { url: 'https://peer.example', URL: 'https://evil.example' }],
  [
    'its interfaces in two spellings',
    { supportedInterfaces: [at('https://a.example')], supported_interfaces: [at('https://b.example')] },
  ],
  ['an interface that is no object', { supportedInterfaces: ['https://evil.example'] }],
  [
    'an address twice in one interface',
    { supportedInterfaces: [{ url: 'https://a.example', Url: 'https://b.example' }] },
  ],
  ['interfaces that are no list', { additionalInterfaces: { url: 'https://evil.example' } }],
  ['skills that are no list', { skills: {} }],
]
for (const [what, card] of twofold) {
  test(`[PEER-04] a card with ${what} is none`, () => {
    assert.throws(() => checkCard(card), { name: 'Doubt' })
  })
}
