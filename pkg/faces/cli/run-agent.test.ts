import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { recordOf } from '../../../test/fixtures/admin-source.ts'
import { SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'
import { childEnv } from './child-env.ts'
import { summaryText, Tally } from './run-summary.ts'

const FACADE = 'http://127.0.0.1:4000'
const TOKEN = 'sp_vk_test'

test('[CLI-12] no key of a provider and no way past the facade is left in the environment of the program', () => {
  const canary = 'canary-key'
  const given = Object.fromEntries(
    `OPENAI_API_KEY OPENAI_ADMIN_KEY OPENAI_COMPATIBLE_API_KEY AZURE_OPENAI_API_KEY ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN
     GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_GENAI_USE_VERTEXAI SALLYPORT_ADMIN_TOKEN ALL_PROXY all_proxy http_proxy HTTPS_PROXY
     AZURE_OPENAI_AD_TOKEN AWS_BEARER_TOKEN_BEDROCK CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK OPENROUTER_API_KEY
     GROQ_API_KEY OPENAI_BASE_URL no_proxy NO_PROXY`
      .split(/\s+/)
      .map((name) => [name, canary]),
  )
  const env = childEnv({ ...given, PATH: '/bin', MINE: 'kept', UNSET: undefined }, FACADE, TOKEN)
  assert.equal(JSON.stringify(env).includes(canary), false)
  assert.deepEqual([env['PATH'], env['MINE'], 'UNSET' in env], ['/bin', 'kept', false])
  assert.deepEqual(
    [env['OPENAI_BASE_URL'], env['ANTHROPIC_BASE_URL'], env['GOOGLE_GEMINI_BASE_URL'], env['https_proxy']],
    [`${FACADE}/openai/v1`, `${FACADE}/anthropic`, `${FACADE}/gemini`, `http://agent:${TOKEN}@127.0.0.1:4000`],
  )
  for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY']) assert.equal(env[name], TOKEN)
})

test('[CLI-13] the summary counts what was let through and what was refused, and names each kind once', () => {
  const tally = new Tally()
  for (let number = 0; number < 3; number += 1) tally.add(recordOf(number, { action: 'Allow', reasons: [] }))
  tally.add(recordOf(4))
  tally.add(recordOf(5))
  tally.add(recordOf(6, { enforced: false }))
  const summary = tally.summary('growth/marketing', 3)
  assert.deepEqual(summary.verdicts, { Allow: 3, Deny: 2, Record: 1 })
  assert.deepEqual(summary.refused, [
    { tool: 'run_sql', reason: 'INTENT_SQL_DDL', action: 'Deny', count: 2, verdictId: 'v_000005' },
  ])
  assert.match(summaryText(summary, 'x'), /6 verdicts, 4 let through, 2 refused\n {2}Deny 2x/)
})

function withData<T>(body: (data: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sp-run-'))
  return body(join(dir, 'data')).finally(() => rmSync(dir, { recursive: true }))
}

const ASK = `
  const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY },
    body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: process.argv[1] }],
      tools: [{ type: 'function', function: { name: 'search_docs', parameters: {} } }] }) })
  console.log(JSON.stringify(await answer.json()))
  process.exit(7)`

test('[CLI-12] [CLI-13] a program runs through a process of its own; its status is kept, its verdicts are told', () =>
  withData(async (data) => {
    const words = [
      'run',
      '--simulate',
      '--data',
      data,
      '-o',
      'json',
      '--',
      process.execPath,
      '--input-type=module',
      '-e',
      ASK,
    ]
    const { status, out, err } = await spawned(SALLYCTL, [...words, 'subject line'], {
      env: { OPENAI_API_KEY: 'sk-canary' },
    })
    assert.equal(status, 7, err)
    assert.equal(JSON.parse(out).choices[0].message.tool_calls[0].function.name, 'search_docs')
    const last = JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')
    assert.deepEqual(last, { agent: 'default/agent', exit: 7, verdicts: { Allow: 1 }, refused: [] })
    assert.equal((out + err).includes('canary'), false)
  }))

test('[CLI-12] how a program ends is how run ends', () =>
  withData(async (data) => {
    const rows: readonly (readonly [words: readonly string[], status: number])[] = [
      [['sh', '-c', 'exit 0'], 0],
      [['sh', '-c', 'exit 65'], 65],
      [['sh', '-c', 'kill -9 $$'], 137],
      [['/nonexistent/program'], 127],
      [['/etc/passwd'], 126],
    ]
    for (const [words, status] of rows) {
      const ran = await spawned(SALLYCTL, ['run', '--simulate', '--data', data, '--', ...words])
      assert.equal(ran.status, status, `${words.join(' ')}: ${ran.err}`)
    }
    for (const words of [
      ['run', '--data', data],
      ['run', '--data', data, '--agent', 'a/b/c', '--', 'true'],
      ['run', '--address', FACADE, '--', 'true'],
    ])
      assert.equal((await spawned(SALLYCTL, words)).status, 64)
  }))

test('[CLI-12] SIGTERM goes to the program, and what it makes of it is kept', () =>
  withData(async (data) => {
    const script = 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done'
    const child = spawn(SALLYCTL, ['run', '--simulate', '--data', data, '--', 'sh', '-c', script], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await child.stdout.take(1).toArray()
    child.kill('SIGTERM')
    assert.equal(await ended, 9)
  }))

test('[CLI-12] a process that runs there is used, and settings of another one are refused', () =>
  withData(async (data) => {
    const policies = join(data, '..', 'policies')
    mkdirSync(policies)
    for (const name of ['one', 'two'])
      writeFileSync(
        join(policies, `${name}.yaml`),
        `apiVersion: sallyport.dev/v1alpha1\nkind: Agent\nmetadata: { name: ${name} }\nspec: {}\n`,
      )
    const words = ['up', '--policies', policies, '--port', '0', '--admin-port', '0', '--data', data, '-o', 'json']
    const up = spawn(SALLYCTL, words, { env: { PATH: process.env['PATH'] ?? '' }, stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = new Promise((resolve) => up.on('exit', resolve))
    try {
      const [line] = await up.stdout.setEncoding('utf8').take(1).toArray()
      const ready = JSON.parse(String(line))
      const show = ['--', 'sh', '-c', 'echo $OPENAI_BASE_URL $OPENAI_API_KEY']
      const ran = await spawned(SALLYCTL, ['run', '--data', data, '--agent', 'two', ...show])
      const { token } = ready.agents.find((agent: { name: string }) => agent.name === 'two')
      assert.equal(ran.out, `${ready.facade}/openai/v1 ${token}\n`, ran.err)
      assert.equal((await spawned(SALLYCTL, ['run', '--data', data, ...show])).status, 64, 'which of two?')
      assert.equal((await spawned(SALLYCTL, ['run', '--data', data, '--agent', 'three', ...show])).status, 1)
      const refused = await spawned(SALLYCTL, ['run', '--data', data, '--simulate', '--agent', 'two', ...show])
      assert.equal(refused.status, 64)
      assert.ok(refused.err.includes(` run --agent two --data ${data} -- sh -c 'echo `), refused.err)
    } finally {
      up.kill('SIGKILL')
      await ended
    }
  }))
