/** Standalone in this process, with a resolver that notes what it is asked. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentKeyOf, DEFAULT_LIMITS, type VerdictRecord } from '#pkg/model'
import { startStandalone } from '#pkg/planes/standalone'
import { systemClock } from '#pkg/platform/clock'
import { newLog } from '#pkg/platform/log'
import { policyOf } from '../fixtures/egress.ts'
import { rawClient } from '../fixtures/raw-client.ts'

type Bench = {
  readonly asked: readonly string[]
  /** Sends one head with the agent's token; the status, and the reason if there is one. */
  send(head: string): Promise<readonly [status: number, code: string | null]>
  records(): Promise<readonly VerdictRecord[]>
}

async function withResolver(
  answers: Readonly<Record<string, readonly string[]>>,
  egress: string,
  body: (bench: Bench) => Promise<void>,
  more = '',
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-dns-'))
  mkdirSync(join(home, 'policies'))
  writeFileSync(join(home, 'policies', 'a.yaml'), policyOf(egress, more))
  const asked: string[] = []
  const lookup = async (name: string): Promise<readonly string[]> => {
    asked.push(name)
    return answers[name] ?? []
  }
  const log = newLog({ level: 'error', write: () => {} })
  const standalone = await startStandalone(
    { clock: systemClock, log, random: randomBytes, lookup },
    {
      ...{ policiesDir: join(home, 'policies'), dataDir: join(home, 'data'), port: 0, upstreams: [] },
      limits: { ...DEFAULT_LIMITS, checkTimeoutMs: 5_000 },
    },
  )
  const token = standalone.tokenOf(agentKeyOf({ namespace: 'growth', name: 'marketing' })) ?? ''
  try {
    await body({
      asked,
      send: async (head) => {
        const raw = await rawClient(Number(new URL(standalone.facade).port))
        raw.send(`${head}\r\nproxy-authorization: Bearer ${token}\r\n\r\n`)
        const { status, body: text } = await raw.answer()
        raw.close()
        return [status, /"code":"([A-Z0-9_]+)"/.exec(text)?.[1] ?? null]
      },
      records: async () => {
        const records: VerdictRecord[] = []
        for await (const record of standalone.verdicts.read()) records.push(record)
        return records
      },
    })
  } finally {
    await standalone.close(0)
    rmSync(home, { recursive: true, force: true })
  }
}

test('[EGR-07] [PROMISE-EGRESS] DNS is asked for what is granted, and for nothing else', () =>
  withResolver(
    {},
    '{ name: a, hosts: [a.test], ports: [80], pathPrefixes: [/ok/] }, { name: b, hosts: [b.test], ports: [443], tls: Opaque }',
    async ({ asked, send }) => {
      for (const head of [
        'GET http://evil.test/ HTTP/1.1',
        'GET http://a.test/no HTTP/1.1',
        'GET http://a.test:81/ok/ HTTP/1.1',
        'DELETE http://a.test/ok/ HTTP/1.1',
        'GET https://a.test/ok/ HTTP/1.1',
        'GET http://b.test:443/ HTTP/1.1',
        'CONNECT evil.test:443 HTTP/1.1',
        'CONNECT a.test:80 HTTP/1.1',
        'CONNECT b.test:80 HTTP/1.1',
        'GET http://secret-in-a-label.evil.test/ HTTP/1.1',
      ])
        assert.equal((await send(head))[0], 403, head)
      assert.deepEqual(asked, [])
      assert.deepEqual(await send('GET http://a.test/ok/ HTTP/1.1'), [502, 'UPSTREAM_FAILED'])
      assert.deepEqual(await send('CONNECT b.test:443 HTTP/1.1'), [502, 'UPSTREAM_FAILED'])
      assert.deepEqual(asked, ['a.test', 'b.test'])
    },
  ))

const ADDRESSES: readonly (readonly [what: string, address: string])[] = [
  ['this machine', '127.0.0.1'],
  ['this machine in IPv6', '::1'],
  ['a mapped address of this machine', '::ffff:127.0.0.1'],
  ['a private network', '10.0.0.1'],
  ['the metadata service', '169.254.169.254'],
  ['the metadata service in IPv6', 'fd00:ec2::254'],
  ['the metadata service behind NAT64', '64:ff9b::a9fe:a9fe'],
  ['no network at all', '0.0.0.0'],
]
for (const [what, address] of ADDRESSES)
  test(`[EGR-08] [PROMISE-EGRESS] a name that leads to ${what} is refused, plain and opaque, with one line each`, () =>
    withResolver(
      { 'a.test': ['8.8.8.8', address], 'b.test': [address] },
      '{ name: a, hosts: [a.test], ports: [80] }, { name: b, hosts: [b.test], ports: [443], tls: Opaque }',
      async ({ asked, send, records }) => {
        assert.deepEqual(await send('GET http://a.test/ HTTP/1.1'), [403, 'EGRESS_ADDRESS_REFUSED'])
        assert.deepEqual(await send('CONNECT b.test:443 HTTP/1.1'), [403, 'EGRESS_ADDRESS_REFUSED'])
        assert.deepEqual(asked, ['a.test', 'b.test'])
        assert.deepEqual(
          (await records()).map(({ dialect, direction, reasons }) => [dialect, direction, reasons]),
          Array(2).fill(['http', 'ToHost', ['EGRESS_ADDRESS_REFUSED']]),
        )
      },
    ))

test('[EGR-08] Audit lets a host pass that is not granted, on record, and never an address that DNS must not give', () =>
  withResolver(
    { 'a.test': ['127.0.0.1'] },
    '{ name: b, hosts: [b.test], ports: [443] }',
    async ({ send, records }) => {
      assert.deepEqual(await send('GET http://a.test/ HTTP/1.1'), [403, 'EGRESS_ADDRESS_REFUSED'])
      assert.deepEqual(await send('CONNECT b.test:443 HTTP/1.1'), [403, 'EGRESS_NOT_INSPECTABLE'])
      assert.deepEqual(
        (await records()).map(({ action, enforced, reasons }) => [action, enforced, reasons[0]]),
        [
          ['Deny', false, 'EGRESS_NOT_GRANTED'],
          ['Deny', true, 'EGRESS_ADDRESS_REFUSED'],
          ['Deny', true, 'EGRESS_NOT_INSPECTABLE'],
        ],
      )
    },
    '  mode: Audit\n',
  ))
