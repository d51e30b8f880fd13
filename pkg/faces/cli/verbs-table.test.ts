import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { MARKETING, recordOf } from '../../../test/fixtures/admin-source.ts'
import { run, withProcess } from '../../../test/fixtures/run-cli.ts'
import { newProgram } from './program.ts'
import { startProgress } from './progress.ts'

const WHY = ['--reason', 'x']
const NOBODY = ['--data', '/nonexistent/nowhere']
const CALL = '{"name":"run_sql","arguments":{}}'

/**
 * One row for each way in which a verb may end. `@` stands for the options that find a process. `json`: how many JSON values
 * stand on stdout; `run` and `up` have their own tests, since they run on.
 */
const ROWS: readonly (readonly [verb: string, words: readonly string[], status: number, json: number])[] = [
  ['version', [], 0, 1],
  ['completion', ['tcsh'], 64, 0],
  ['up', ['--port', 'x'], 64, 0],
  ['up', ['--policies', '/nonexistent/p', '--port', '0'], 65, 0],
  ['run', [], 64, 0],
  ['run', ['--address', 'http://127.0.0.1:1', '--', 'true'], 64, 0],
  ['check', ['--offline', '--port', '0', '--admin-port', '0', '@'], 0, 1],
  ['check', ['--offline', '--policies', '/nonexistent/p', '@'], 1, 1],
  ['check', ['--port', 'x'], 64, 0],
  ['bug-report', ['--dry-run', '@'], 0, 1],
  ['bug-report', ['--log', '/nonexistent/log', '@'], 65, 0],
  ['bug-report', ['--file', '/nonexistent/dir/file', '@'], 69, 0],
  ['agents', ['@'], 0, 1],
  ['agents', ['nobody', '@'], 1, 0],
  ['agents', NOBODY, 69, 0],
  ['verdicts', ['@'], 0, 2],
  ['verdicts', ['--reason', 'NOT_A_REASON', '@'], 64, 0],
  ['policy check', ['POLICY'], 0, 1],
  ['policy check', ['BROKEN'], 65, 1],
  ['policy effective', [MARKETING, '@'], 0, 1],
  ['policy effective', ['nobody', '@'], 1, 0],
  ['policy explain', ['v_000001', '@'], 0, 1],
  ['policy explain', ['v_unknown0', '@'], 1, 0],
  ['policy explain', [MARKETING, 'BROKEN', '@'], 65, 0],
  ['policy suggest', [MARKETING, '@'], 1, 0],
  ['policy suggest', ['a/b/c', '@'], 64, 0],
  ['quarantine', [MARKETING, ...WHY, '@'], 0, 1],
  ['quarantine', [MARKETING, '@'], 64, 0],
  ['suspend', [MARKETING, ...WHY, '@'], 0, 1],
  ['suspend', [MARKETING, ...WHY, ...NOBODY], 69, 0],
  ['release', [MARKETING, ...WHY, '--through-epoch', 'x', '@'], 64, 0],
  ['reinstate', [MARKETING, ...WHY, '--through-epoch', 'x', '@'], 64, 0],
  ['terminate', [MARKETING, ...WHY, '--confirm', 'other', '@'], 65, 0],
  ['identity show', ['@'], 0, 1],
  ['identity show', ['nobody', '@'], 1, 0],
  ['identity verify', ['BROKEN', '@'], 65, 0],
  ['ca status', ['@'], 0, 1],
  ['ca prepare', ['x509', ...WHY, '@'], 0, 1],
  ['ca activate', ['pgp', ...WHY, '@'], 64, 0],
  ['ca taint', ['x509', '@'], 64, 0],
  ['ca revoke', ['x509', ...WHY, ...NOBODY], 69, 0],
  ['audit verify', NOBODY, 1, 0],
  ['audit verify', ['--address', 'http://127.0.0.1:1'], 64, 0],
  ['audit tail', NOBODY, 1, 0],
  ['audit tail', ['--lines', '0', ...NOBODY], 64, 0],
  ['audit tail', ['--kind', 'rumour', ...NOBODY], 64, 0],
  ['audit export', NOBODY, 1, 0],
  ['audit export', ['--format', 'leef', ...NOBODY], 64, 0],
  ['audit export', ['--format', 'cef', ...NOBODY], 64, 0],
  ['agents forget', [MARKETING, ...WHY, ...NOBODY], 69, 0],
  ['dashboard', ['@'], 0, 1],
  ['dashboard', NOBODY, 69, 0],
]

const POLICY = `apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: x }
spec: {}
`

test('[CLI-02] [CLI-18] each verb ends with the status of the table, and with -o json prints nothing but JSON', () =>
  withProcess(async ({ source, at }) => {
    const dir = mkdtempSync(join(tmpdir(), 'sp-table-'))
    const files: Readonly<Record<string, string>> = {
      POLICY: join(dir, 'policy.yaml'),
      BROKEN: join(dir, 'broken.yaml'),
    }
    writeFileSync(join(dir, 'policy.yaml'), POLICY)
    writeFileSync(join(dir, 'broken.yaml'), 'kind: Nonsense\n')
    source.append(recordOf(1))
    source.append(recordOf(2))
    try {
      for (const [verb, words, status, json] of ROWS) {
        const given = words.flatMap((word) => (word === '@' ? at : [files[word] ?? word]))
        const ran = await run([...verb.split(' '), ...given, '-o', 'json'], { stdin: async () => Buffer.from(CALL) })
        const row = `${verb} ${words.join(' ')}`
        assert.equal(ran.status, status, `${row}: ${ran.err}`)
        const values = ran.out.split('\n').filter((line) => line !== '')
        for (const line of values) JSON.parse(line)
        assert.equal(values.length, json, row)
        if (status !== 0 && json === 0) assert.match(ran.err, /^(?:sallyctl: [A-Z_]+: |error: )/m, row)
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  }))

test('[CLI-18] the table has a row for each verb that exists', () => {
  const deps = {
    version: '1',
    env: async () => ({}),
    stdout: async () => {},
    stderr: () => {},
    stdin: async () => new Uint8Array(),
    hasColors: false,
    onSignal: () => () => {},
    exitNow: () => assert.fail('exitNow'),
  }
  const pathsOf = (command: Command, path: string): readonly string[] => {
    const below = command.commands.flatMap((child) => pathsOf(child, `${path} ${child.name()}`.trim()))
    return command.commands.length === 0 || command.registeredArguments.length > 0 ? [path, ...below] : below
  }
  const rows = new Set(ROWS.map(([verb]) => verb))
  assert.deepEqual(
    pathsOf(
      newProgram(deps, () => {}),
      '',
    ).filter((path) => !rows.has(path)),
    [],
  )
})

test('[CLI-18] progress is drawn where a person watches, and taken away; in a pipe, as JSON or YAML there is none', () => {
  const drawn = (isTerminal: boolean, output?: 'json' | 'yaml' | 'wide'): string => {
    let err = ''
    const deps = {
      version: '1',
      env: async () => ({}),
      stdout: async () => {},
      stderr: (text: string) => {
        err += text
      },
      stdin: async () => new Uint8Array(),
      hasColors: false,
      isTerminal,
      onSignal: () => () => {},
      exitNow: () => assert.fail('exitNow'),
    }
    const progress = startProgress(deps, { color: true, ...(output === undefined ? {} : { output }) }, 'looking')
    progress.say('more')
    progress.stop()
    return err
  }
  assert.ok(drawn(true).includes('looking') && drawn(true).endsWith('\r\u001b[K'))
  assert.match(drawn(true, 'wide'), /looking/)
  for (const err of [drawn(false), drawn(true, 'json'), drawn(true, 'yaml')]) assert.equal(err, '')
})
