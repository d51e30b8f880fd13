import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../../test/fixtures/run-cli.ts'

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

test('[CLI-05] good files: exit 0, and tools that declare no intents are named', async () =>
  withFiles({ 'marketing.yaml': POLICY }, async (dir) => {
    for (const path of [dir, join(dir, 'marketing.yaml')]) {
      const { status, out } = await run(['policy', 'check', path])
      assert.equal(status, 0, out)
      assert.match(out, /growth\/marketing: tool "search_docs" .*custom\.unknown/)
      assert.equal(out.includes('"run_sql"'), false)
    }
    const json = JSON.parse((await run(['policy', 'check', dir, '-o', 'json'])).out)
    assert.deepEqual([json.ok, json.files, json.policies, json.faults], [true, 1, 1, []])
    assert.deepEqual(json.unknownTools, [{ policy: 'growth/marketing', tool: 'search_docs' }])
  }))

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
