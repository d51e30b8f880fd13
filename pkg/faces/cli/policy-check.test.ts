import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { LATER_VALUES } from '#pkg/platform/resources'
import { ROOT, run } from '../../../test/fixtures/run-cli.ts'

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: marketing, namespace: growth }
spec:
  selector: { matchLabels: { app: marketing } }
  role: marketing
  tools:
    allow:
    - { name: run_sql, intents: [sql.read] }
    - { name: search_docs }
    - name: send_email
      intents: [mail.send]
      arguments: { rules: [ { name: inside, expression: "args.to.endsWith('@acme.example')" } ] }
  intents: { allow: [sql.read, mail.send] }
`

async function withFiles(files: Readonly<Record<string, string>>, body: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-check-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    await body(dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('[CLI-05] good files: exit 0; tools that declare no intents are listed for programs', async () =>
  withFiles({ 'marketing.yaml': POLICY }, async (dir) => {
    for (const path of [dir, join(dir, 'marketing.yaml')]) {
      const { status, out } = await run(['policy', 'check', path])
      assert.equal(status, 0, out)
      assert.equal(out.includes('note:'), false)
    }
    const json = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out)
    assert.deepEqual([json.ok, json.files, json.policies, json.faults], [true, 1, 1, []])
    assert.deepEqual(json.unknownTools, [{ policy: 'growth/marketing', tool: 'search_docs', denied: false }])
  }))

test('[CLI-05] a tool without intents is noted where what nobody knows is denied in its namespace', async () => {
  const denying = POLICY.replaceAll('marketing', 'sales').replace(
    'intents: { allow',
    'intents: { deny: ["custom.*"], allow',
  )
  for (const [other, denied] of [
    [denying, true],
    [denying.replace('growth', 'elsewhere'), false],
  ] as const)
    await withFiles({ 'marketing.yaml': POLICY, 'sales.yaml': other }, async (dir) => {
      const { unknownTools } = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out)
      assert.equal(unknownTools[0].denied, denied)
      assert.equal(
        (await run(['policy', 'check', dir])).out.includes('note: growth/marketing: tool "search_docs"'),
        denied,
      )
    })
})

test('[CLI-05] the examples that we ship have no fault, no warning and no note', async () => {
  const examples = join(ROOT, 'docs/examples')
  for (const folder of readdirSync(examples)) {
    const { status, out } = await run(['policy', 'check', join(examples, folder)])
    assert.deepEqual([status, out.split('\n').length], [0, 2], out)
  }
})

test('[CLI-05] a folder whose folders hold the files: 65, and they are named', async () => {
  const examples = join(ROOT, 'docs/examples')
  const { status, out, err } = await run(['policy', 'check', examples], { program: './sallyctl' })
  assert.deepEqual([status, out], [65, ''])
  const command = `./sallyctl policy check ${readdirSync(examples)
    .map((name) => join(examples, name))
    .join(' ')}`
  assert.ok(err.includes(command), err)
})

test('[CLI-05] faults come file by file, each from its top, whichever reader found them', async () => {
  const twice = POLICY.replace("endsWith('", "endsWith(('").replace('spec:', 'spec:\n  onViolation: { action: Hold }')
  const slip = POLICY.replaceAll('marketing', 'sales').replace('  role:', '  rolle:')
  await withFiles({ 'b.yaml': slip, 'a.yaml': twice }, async (dir) => {
    const { faults } = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out)
    assert.deepEqual(
      faults.map((fault: { file: string; line: number; code: string }) => [
        fault.file.slice(-6),
        fault.line,
        fault.code,
      ]),
      [
        ['a.yaml', 5, 'UnsupportedField'],
        ['a.yaml', 14, 'Invalid'],
        ['b.yaml', 6, 'UnknownField'],
      ],
    )
  })
})

const withValue: Readonly<Record<string, (value: string) => string>> = {
  'spec.onViolation.action': (value) => `${POLICY}  onViolation: { action: ${value} }\n`,
  'spec.onViolation.rules.action': (value) =>
    `${POLICY}  onViolation: { rules: [ { name: r, reasons: ["INTENT_*"], action: ${value} } ] }\n`,
  'spec.tools.allow.execution': (value) => POLICY.replace('search_docs }', `search_docs, execution: ${value} }`),
  'spec.mcp.servers.onDrift': (value) =>
    `${POLICY}  mcp: { servers: [ { name: s, url: "https://s.example/mcp", onDrift: ${value} } ] }\n`,
}

test('[CLI-05] a value that a fault offers is taken, and one that it calls not available yet is refused', async () => {
  assert.deepEqual(Object.keys(withValue).sort(), Object.keys(LATER_VALUES).sort())
  for (const [path, textOf] of Object.entries(withValue)) {
    const codesOf = async (value: string): Promise<readonly { code: string; message: string }[]> => {
      let faults: readonly { code: string; message: string }[] = []
      await withFiles({ 'a.yaml': textOf(value) }, async (dir) => {
        faults = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out).faults
      })
      return faults
    }
    const [fault] = await codesOf('Nonsense')
    const offered = /one of ([\w, ]+) \(/.exec(fault?.message ?? '')?.[1]?.split(', ') ?? []
    assert.ok(offered.length > 0, fault?.message)
    for (const value of offered) assert.deepEqual([value, await codesOf(value)], [value, []], path)
    for (const value of LATER_VALUES[path] ?? [])
      assert.equal((await codesOf(value))[0]?.code, 'UnsupportedField', `${path} ${value}`)
  }
})

const faulty: readonly { readonly name: string; readonly text: string; readonly at: string }[] = [
  { name: 'a misspelt field', text: POLICY.replace('role: marketing', 'rol: marketing'), at: '6:3' },
  { name: 'an expression that does not compile', text: POLICY.replace("endsWith('", "endsWith(('"), at: '13:' },
  {
    name: 'an intent that does not exist',
    text: POLICY.replace('intents: [mail.send]', 'intents: [mail.sent]'),
    at: '12:',
  },
  { name: 'a kind that does not exist', text: POLICY.replace('kind: AgentPolicy', 'kind: AgentPolice'), at: '2:' },
  { name: 'YAML that does not parse', text: `${POLICY}  data: [`, at: '' },
]

for (const row of faulty)
  test(`[CLI-05] ${row.name}: exit 65 with file:line:column`, async () =>
    withFiles({ 'bad.yaml': row.text, 'good.yaml': POLICY.replaceAll('marketing', 'sales') }, async (dir) => {
      const { status, out } = await run(['policy', 'check', dir])
      assert.equal(status, 65)
      assert.match(out, /^\S*\/bad\.yaml:\d+:\d+: /m)
      assert.ok(out.includes(`/bad.yaml:${row.at}`), out)
      assert.equal(/good\.yaml:\d/.test(out), false, out)
      const json = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out)
      assert.equal(json.ok, false)
      assert.ok(json.faults.length > 0)
      for (const fault of json.faults) assert.equal(fault.file, join(dir, 'bad.yaml'))
    }))

test('[CLI-05] what is not there, and a folder without policies, is 65 and not "ok"', async () =>
  withFiles({ 'notes.txt': 'x', '.hidden.yaml': POLICY }, async (dir) => {
    mkdirSync(join(dir, 'inner.yaml'))
    for (const path of [dir, join(dir, 'none.yaml'), join(dir, 'none')]) {
      const { status, out } = await run(['policy', 'check', path])
      assert.deepEqual([status, out], [65, ''])
    }
  }))
