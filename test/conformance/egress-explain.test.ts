/** What sallyctl shows of egress: effective, explain, check. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { policyOf, withEgress } from '../fixtures/egress.ts'
import { ROOT } from '../fixtures/run-cli.ts'

const ENTRIES =
  '{ name: api, hosts: [api.test], ports: [80], pathPrefixes: [/ok/] }, { name: hub, hosts: [hub.test], tls: Opaque }'
const OPEN =
  '  llm: { providers: [{ name: openai, type: OpenAI, models: [x], opaque: [{ method: GET, path: /realtime, upgrade: websocket }] }] }\n'

function sallyctl(...args: readonly string[]): Promise<{ readonly out: string; readonly status: number }> {
  return new Promise((resolve) => {
    execFile(join(ROOT, 'sallyctl'), args, (error, out) => resolve({ out, status: Number(error?.code ?? 0) }))
  })
}

test('[EGR-05] policy effective shows the entries, and what passes uninspected as opaque', () =>
  withEgress({ egress: () => ENTRIES, more: OPEN }, async ({ running }) => {
    const data = ['--data', running.dataDir]
    const { out } = await sallyctl('policy', 'effective', 'growth/marketing', ...data)
    assert.match(
      out,
      /^ {2}api: api\.test; ports 80; methods GET, HEAD; paths \/ok\/ {2}\(growth\/marketing egress\[0\]\)$/m,
    )
    assert.match(
      out,
      /^ {2}hub: hub\.test; ports 443; OPAQUE by CONNECT: not inspected {2}\(growth\/marketing egress\[1\]\)$/m,
    )
    assert.match(out, /OPAQUE websocket GET \/realtime: not inspected/)
  }))

test('[EGR-05] policy explain says which entry decides about a URL, and asks no DNS', () =>
  withEgress({ egress: () => ENTRIES, more: OPEN }, async ({ running, verdicts }) => {
    const rows: readonly (readonly [
      args: readonly string[],
      action: string,
      reason: string | undefined,
      rule: string | null,
    ])[] = [
      [['http://api.test/ok/x'], 'Allow', undefined, 'egress[0]'],
      [['https://hub.test/any'], 'Allow', undefined, 'egress[1]'],
      [['http://api.test/no'], 'Deny', 'EGRESS_NOT_GRANTED', 'egress[0].pathPrefixes'],
      [['http://api.test/ok/', '--method', 'DELETE'], 'Deny', 'EGRESS_NOT_GRANTED', 'egress[0].methods'],
      [['https://api.test/ok/'], 'Deny', 'EGRESS_NOT_GRANTED', 'egress'],
      [['http://hub.test/'], 'Deny', 'EGRESS_NOT_GRANTED', 'egress'],
      [['https://hub.test:444/'], 'Deny', 'EGRESS_NOT_GRANTED', 'egress'],
      [['http://2130706433/'], 'Deny', 'EGRESS_ADDRESS_INVALID', null],
      [['http://api.test/ok/../no'], 'Deny', 'EGRESS_PATH_INVALID', null],
    ]
    for (const [args, action, reason, rule] of rows) {
      const asked = ['policy', 'explain', 'growth/marketing', ...args, '--data', running.dataDir]
      const { out, status } = await sallyctl(...asked, '-o', 'json')
      const found = JSON.parse(out) as {
        action: string
        reasons: string[]
        rule: string | null
        remedy: string
        tool: null
      }
      assert.deepEqual(
        [status, found.action, found.reasons[0], found.rule, found.tool],
        [0, action, reason, rule, null],
        args[0],
      )
      assert.doesNotMatch(found.remedy, /clients would read/)
    }
    const text = await sallyctl('policy', 'explain', 'growth/marketing', 'https://hub.test/', '--data', running.dataDir)
    assert.match(text.out, /^request +CONNECT for https:\/\/hub\.test\/$/m)
    assert.deepEqual(await verdicts(), [])
  }))

test('[EGR-05] policy check warns of what passes uninspected, and names faults by line', () =>
  withEgress({ egress: () => '' }, async ({ running }) => {
    const file = join(running.dataDir, 'p.yaml')
    writeFileSync(file, policyOf('{ name: a, hosts: [api.openai.com], tls: Opaque }', OPEN))
    const warned = await sallyctl('policy', 'check', file)
    assert.equal(warned.status, 0)
    assert.match(warned.out, /warning: .*p\.yaml:\d+:\d+.*api\.openai\.com.*EGRESS_OWNED/)
    assert.match(warned.out, /warning: .*\/realtime as a WebSocket: no call in it is judged/)
    writeFileSync(file, policyOf('{ name: a, hosts: ["*.openai.com"] }'))
    const faulty = await sallyctl('policy', 'check', file)
    assert.equal(faulty.status, 65)
    assert.match(faulty.out, /p\.yaml:\d+:\d+.*named one by one/)
  }))
