import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse as parseYaml } from 'yaml'
import { REASONS } from '#pkg/model'
import { MARKETING, recordOf } from '../../../test/fixtures/admin-source.ts'
import { run, withProcess } from '../../../test/fixtures/run-cli.ts'
import { remedyOf } from './remedies.ts'

test('[CLI-07] agents lists and describes, with tokens in json over the socket', async () =>
  withProcess(async ({ at }) => {
    const list = await run(['agents', ...at])
    assert.match(list.out, /^NAMESPACE +NAME +STATE .*\ngrowth +marketing +Active/)
    assert.equal(list.out.includes('sp_vk'), false)
    const json = JSON.parse((await run(['agents', '-o', 'json', ...at])).out)
    assert.deepEqual(json[0].acks, { wanted: 1, received: 1 })
    assert.equal(json[0].token, 'sp_vk_double')
    assert.deepEqual(JSON.parse((await run(['agents', '-n', 'other', '-o', 'json', ...at])).out), [])
    assert.match((await run(['agents', '-n', 'growth', 'marketing', ...at])).out, /^agent +growth\/marketing$/m)
    assert.equal(parseYaml((await run(['agents', 'growth/marketing', '-o', 'yaml', ...at])).out).token, 'sp_vk_double')
    assert.equal((await run(['agents', 'marketing', ...at])).status, 1, 'namespace default has none')
  }))

test('[CLI-07] faults of the policy folder are a warning on stderr wherever the rules in force are shown', async () =>
  withProcess(async ({ at, source }) => {
    source.faults = [{ file: 'a.yaml', line: 3, column: 5, message: 'unknown field "rol"\u001b[2J' }]
    source.well = false
    for (const words of [['agents'], ['agents', 'growth/marketing'], ['policy', 'effective', 'growth/marketing']]) {
      const { status, err } = await run([...words, ...at])
      assert.equal(status, 0)
      assert.match(err, /a\.yaml:3:5: unknown field/)
      assert.equal(err.includes('\u001b'), false)
    }
  }))

test('[CLI-08] policy effective prints each rule with where it was written', async () =>
  withProcess(async ({ at }) => {
    const { out } = await run(['policy', 'effective', 'growth/marketing', ...at])
    assert.match(out, /run_sql; local; intents sql\.read {2}\(growth\/marketing tools\.allow\[0\]\)/)
    assert.match(out, /count_rows; mcp at warehouse alone; intents none {2}\(growth\/marketing tools\.allow\[1\]\)/)
    assert.match(out, /count_rows; local at warehouse alone, not when a model proposes it; /)
    assert.match(out, /admin_\* {2}\(growth\/marketing tools\.deny\[0\]\)/)
    const json = JSON.parse((await run(['policy', 'effective', 'growth/marketing', '-o', 'json', ...at])).out)
    assert.equal(json.grants[0].source.path, 'tools.allow[0]')
    assert.equal((await run(['policy', 'effective', 'growth/nobody', ...at])).status, 1)
  }))

test('[CLI-08] policy explain VERDICT names reason, check, policy, rule and what would change it', async () =>
  withProcess(async ({ at, source }) => {
    source.append(recordOf(1))
    const { out, status } = await run(['policy', 'explain', 'v_000001', ...at])
    assert.equal(status, 0)
    for (const line of [
      /^reason +INTENT_SQL_DDL: /m,
      /^check +intent \(4 of 7\)$/m,
      /^policy +growth\/marketing$/m,
      /^rule +intents\.deny\[0\]$/m,
      /^change +\S/m,
    ])
      assert.match(out, line)
    const json = JSON.parse((await run(['policy', 'explain', 'v_000001', '-o', 'json', ...at])).out)
    assert.equal(json.rule, 'intents.deny[0]')
    assert.notEqual(json.remedy, '')
    assert.equal((await run(['policy', 'explain', 'v_none', ...at])).status, 1)
    assert.equal((await run(['policy', 'explain', 'v/../x', ...at])).status, 64)
  }))

test('[FW-16] policy explain VERDICT names the entries that grant a proposal, or any call at a server', async () =>
  withProcess(async ({ at, source }) => {
    const allowed = { action: 'Allow', reasons: [], check: null, policy: null, rule: null, tool: 'count_rows' } as const
    source.append({ ...recordOf(1), ...allowed, direction: 'FromModel' })
    source.append({ ...recordOf(2), ...allowed, direction: 'ToTool' })
    const pathsOf = async (id: string): Promise<readonly string[]> => {
      const { grants } = JSON.parse((await run(['policy', 'explain', id, '-o', 'json', ...at])).out)
      return grants.map(({ path }: { readonly path: string }) => path)
    }
    assert.deepEqual(await pathsOf('v_000001'), ['tools.allow[1]'])
    assert.deepEqual(await pathsOf('v_000002'), ['tools.allow[1]', 'tools.allow[2]'])
  }))

test('[CLI-08] policy explain AGENT CALL.json takes both ways of writing a call, from a file or stdin', async () =>
  withProcess(async ({ at, source, dir }) => {
    const file = join(dir, 'call.json')
    const plain = { name: 'send_email', arguments: { to: 'a@b.example' } }
    const openai = { id: 'call_1', type: 'function', function: { name: 'run_sql', arguments: '{"query":"SELECT 1"}' } }
    writeFileSync(file, JSON.stringify(plain))
    const refused = await run(['policy', 'explain', 'growth/marketing', file, ...at])
    assert.equal(refused.status, 0)
    assert.match(refused.out, /^action +Deny$/m)
    assert.match(refused.out, /^change +.*\{ name: send_email \}/m)
    const stdin = async (): Promise<Uint8Array> => Buffer.from(JSON.stringify(openai))
    const allowed = await run(['policy', 'explain', '-n', 'growth', 'marketing', '-', '-o', 'json', ...at], { stdin })
    assert.equal(JSON.parse(allowed.out).action, 'Allow')
    assert.deepEqual(
      source.explained.map((one) => one.call),
      [plain, { name: 'run_sql', arguments: '{"query":"SELECT 1"}' }],
    )
    for (const text of ['', '{', '[]', '{"name":7}', '{"name":"x","arguments":[1]}', '\ufffd{"name":""}']) {
      writeFileSync(file, text)
      assert.equal((await run(['policy', 'explain', 'growth/marketing', file, ...at])).status, 65, text)
    }
    assert.equal((await run(['policy', 'explain', 'growth/marketing', join(dir, 'none.json'), ...at])).status, 65)
    writeFileSync(file, Buffer.alloc(768 * 1024 + 1, 0x20))
    assert.equal((await run(['policy', 'explain', 'growth/marketing', file, ...at])).status, 65)
  }))

test('[CLI-08] every reason has a remedy of its own words', () => {
  const hint = (words: string): string => `./sallyctl ${words}`
  for (const reason of Object.keys(REASONS) as (keyof typeof REASONS)[]) {
    const text = remedyOf(reason, { tool: 'run_sql', agent: 'growth/marketing', rule: 'tools.deny[0]', hint })
    assert.ok(text.length > 20, reason)
    assert.equal(text.includes('undefined'), false)
    assert.equal(/(?<!\.\/)sallyctl /.test(text), false, reason)
  }
})

test('[CLI-07] agents says why an agent may not act, and what to know of its release', async () =>
  withProcess(async ({ at, source }) => {
    const [status] = source.agents()
    assert.ok(status !== undefined)
    const hold = {
      epoch: 2,
      state: 'Quarantined',
      source: 'Firewall',
      code: 'X',
      verdictId: null,
      since: 'then',
    } as const
    const held = { ...status, state: 'Quarantined', holds: [hold], releaseThroughEpoch: 1 } as const
    const warnings = [{ code: 'RELEASE_TOO_LOW', agent: MARKETING, message: 'set it to 2' }]
    source.agents = () => [{ ...held, reason: `odd\u001b${'!'.repeat(80)}`, warnings }]
    const json = JSON.parse((await run(['agents', 'growth/marketing', '-o', 'json', ...at])).out)
    assert.deepEqual([json.state, json.holds, json.warnings], ['Quarantined', [hold], warnings])
    assert.ok(json.reason.startsWith('odd'))
    const text = (await run(['agents', 'growth/marketing', ...at])).out
    for (const line of [
      /^state +Quarantined$/m,
      /^reason +odd\\u\{1b\}!{80}$/m,
      /^hold +Quarantined /m,
      /^epoch +1, released by its file through 1, acked 1 of 1$/m,
    ])
      assert.match(text, line)
    assert.match(text, /^warning +RELEASE_TOO_LOW: /m)
    source.agents = () => [{ ...status, releaseThroughEpoch: 0 }]
    assert.match((await run(['agents', 'growth/marketing', ...at])).out, /^epoch +1, acked 1 of 1$/m)
    source.agents = () => [{ ...held, reason: `odd\u001b${'!'.repeat(80)}`, warnings }]
    assert.match((await run(['agents', ...at])).out, /REASON\n.* odd\S+…\n$/)
    assert.match((await run(['agents', '-o', 'wide', ...at])).out, /REASON\n.* odd\S+!{80}\n$/)
  }))

test('[CLI-06] hints can be pasted: the program as it was called, with the data folder', async () =>
  withProcess(async ({ at, dir }) => {
    const program = '../clone/sallyctl'
    const { out } = await run(['agents', 'growth/marketing', ...at], { program })
    assert.ok(out.includes(`${program} agents growth/marketing -o json --data ${dir}\n`), out)
    const nobody = await run(['agents', 'marketing', ...at], { program })
    assert.equal(nobody.status, 1)
    assert.match(nobody.err, /"growth\/marketing"/)
    const away = await run(['agents', '--data', join(dir, 'none')], { program })
    assert.ok(away.err.includes(`${program} up --policies DIR --data ${join(dir, 'none')}`), away.err)
  }))

test('[CLI-08] policy explain of an Allow names the entry that grants it', async () =>
  withProcess(async ({ at, source, dir }) => {
    const granted = { policy: 'growth/marketing', path: 'tools.allow[0]' }
    source.append(recordOf(1, { action: 'Allow', reasons: [], check: null, policy: null, rule: null }))
    const json = JSON.parse((await run(['policy', 'explain', 'v_000001', '-o', 'json', ...at])).out)
    assert.deepEqual(json.grants, [granted])
    assert.match(
      (await run(['policy', 'explain', 'v_000001', ...at])).out,
      /^granted +growth\/marketing tools\.allow\[0\]/m,
    )
    const plain = source.explainCall
    source.explainCall = async (agent, call) => ({ ...(await plain(agent, call)), granted })
    const file = join(dir, 'call.json')
    writeFileSync(file, '{"name":"run_sql"}')
    const { out } = await run(['policy', 'explain', 'growth/marketing', file, ...at])
    assert.match(out, /^policy +growth\/marketing$/m)
    assert.match(out, /^rule +tools\.allow\[0\]$/m)
  }))

test('[CLI-08] policy explain AGENT without a call is a usage fault that shows a call', async () => {
  const { status, out, err } = await run(['policy', 'explain', 'growth/marketing'])
  assert.deepEqual([status, out], [64, ''])
  const example = /\{"name":.*\}\}/.exec(err)?.[0] ?? ''
  assert.deepEqual(Object.keys(JSON.parse(example)), ['name', 'arguments'])
})
