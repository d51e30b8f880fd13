/** The admin API of a real process against its own description, by a tool that makes good and bad requests from it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { adminOpenApi } from '#pkg/faces/admin'

const here = dirname(fileURLToPath(import.meta.url))
const program = join(here, '../../sallyctl')
const described = join(here, '../../docs/reference/openapi.json')
const WITHIN_MS = 90_000

type Ready = {
  readonly facade: string
  readonly admin: string
  readonly adminToken: string
  readonly agents: readonly { readonly token: string }[]
}
type Report = {
  readonly complete: boolean
  readonly operations: { readonly tested: number }
  readonly test_cases: { readonly generated: number }
  readonly failures: readonly unknown[]
  readonly errors: readonly unknown[]
}

/** Runs a real process, with a simulated provider, in a home of its own. */
async function withUp(body: (ready: Ready, home: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'sp-api-'))
  const up = spawn(program, ['up', '--simulate', '--port', '0', '--admin-port', '0', '-o', 'json'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolve) => up.once('close', resolve))
  try {
    const [line] = await up.stdout.setEncoding('utf8').take(1).toArray()
    await body(JSON.parse(String(line)), home)
    assert.equal(up.exitCode, null, 'the process lives')
  } finally {
    up.kill('SIGKILL')
    await ended
    rmSync(home, { recursive: true })
  }
}

/** Some verdicts, so that there is history; the id of the last. */
async function refusals({ facade, agents }: Ready): Promise<string> {
  let id = ''
  for (const token of ['sp_vk_nobody', agents[0]?.token ?? '']) {
    const answer = await fetch(`${facade}/openai/v1/files`, { headers: { authorization: `Bearer ${token}` } })
    id = answer.headers.get('x-sallyport-verdict') ?? ''
  }
  assert.match(id, /^v_/)
  return id
}

async function schemathesis({ admin, adminToken }: Ready, verdict: string, home: string): Promise<Report> {
  const report = join(home, 'report.json')
  const words = [
    ...['-m', 'schemathesis.cli', 'run', described, '--url', admin],
    ...['--header', `Authorization: Bearer ${adminToken}`, '--checks', 'all', '--continue-on-failure'],
    ...['--phases', 'examples,coverage,fuzzing', '--max-examples', '15', '--request-timeout', '10', '--no-color'],
    ...['--report', 'json', '--report-json-path', report],
  ]
  const child = spawn(process.env['INTEROP_PYTHON'] ?? 'python3', words, {
    cwd: home,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      PYTHONPATH: here,
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: 'schemathesis_hooks',
      SALLYPORT_VERDICT: verdict,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(status, 0, said.slice(-20_000))
  return JSON.parse(readFileSync(report, 'utf8'))
}

test('[ADM-18] a real process answers good and bad requests to every operation as its description says', () =>
  withUp(async (ready, home) => {
    const { complete, operations, test_cases, failures, errors } = await schemathesis(
      ready,
      await refusals(ready),
      home,
    )
    assert.deepEqual([complete, failures, errors], [true, [], []])
    const all = Object.values(adminOpenApi().paths).flatMap((methods) => Object.keys(methods))
    assert.equal(operations.tested, all.length)
    assert.ok(test_cases.generated > 1_000, `${test_cases.generated} requests`)
  }))
