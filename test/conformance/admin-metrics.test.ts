/** What the real process counts of what happens to it. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { METRICS } from '#pkg/platform/metrics'
import { callDeltas, streamOf, textDeltas } from '../fixtures/chat.ts'
import { startMockUpstream } from '../fixtures/mock-upstream.ts'
import { REQUEST, SEVER } from '../fixtures/policies.ts'
import { type Running, startSallyctl } from '../fixtures/sallyctl.ts'

const DROP = JSON.stringify({ query: 'DROP TABLE customers' })
const answers = [
  streamOf(textDeltas('hello there'), 'stop'),
  streamOf(callDeltas(0, 'nobody_granted_this', '{}'), 'tool_calls'),
  null,
  streamOf(callDeltas(0, 'run_sql', DROP), 'tool_calls'),
]

/** Over the Unix socket, which needs no token. */
function scrape(running: Running): Promise<{ readonly type: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(running.dataDir, 'admin.sock'), path: '/metrics' }, async (answer) => {
      let text = ''
      for await (const chunk of answer.setEncoding('utf8')) text += chunk
      resolve({ type: answer.headers['content-type'] ?? '', text })
    })
    asked.on('error', reject)
    asked.end()
  })
}

function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

async function say(running: Running): Promise<void> {
  const answer = await fetch(`${running.ready.facade}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token('growth/marketing')}` },
    body: JSON.stringify(REQUEST),
  })
  await answer.text()
}

test('[MET-06] verdicts, requests, failures, moves and readers of a real process show at the next scrape', async () => {
  let turn = 0
  const mock = await startMockUpstream((_request, reply) => {
    const answer = answers[turn++]
    if (answer === null || answer === undefined) void reply.json(500, { error: { message: 'broken' } })
    else void reply.events([answer])
  })
  const running = await startSallyctl({
    policies: { 'a.yaml': SEVER },
    upstream: `${mock.url}/v1`,
    args: ['--limit', 'checkTimeoutMs=5000'],
  })
  const authorization = `Bearer ${running.ready.adminToken}`
  const follower = new AbortController()
  try {
    for (const _answer of answers) await say(running)
    await say(running) // refused: it is quarantined
    assert.equal((await fetch(`${running.ready.admin}/metrics`)).status, 401)
    await fetch(`${running.ready.admin}/v1/events`, { headers: { authorization }, signal: follower.signal })
    const overTcp = await fetch(`${running.ready.admin}/metrics`, { headers: { authorization } })
    assert.equal(overTcp.status, 200)
    const { type, text } = await scrape(running)
    assert.equal(type, overTcp.headers.get('content-type'))
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8')
    const samples = samplesOf(text)
    const wanted: Readonly<Record<string, number>> = {
      'sallyport_verdicts_total{action="Deny",check="grant",direction="FromModel"}': 1,
      'sallyport_verdicts_total{action="Sever",check="intent",direction="FromModel"}': 1,
      'sallyport_verdicts_total{action="Deny",check="identity",direction="ToModel"}': 1,
      sallyport_verdict_duration_seconds_count: 3,
      'sallyport_requests_total{dialect="openai-chat",outcome="answered"}': 3,
      'sallyport_requests_total{dialect="openai-chat",outcome="cut"}': 1,
      'sallyport_requests_total{dialect="openai-chat",outcome="refused"}': 1,
      'sallyport_upstream_failures_total{dialect="openai-chat",cause="status-5xx"}': 1,
      sallyport_open_exchanges: 0,
      sallyport_held_bytes: 0,
      'sallyport_agents{state="Active"}': 0,
      'sallyport_agents{state="Quarantined"}': 1,
      'sallyport_agent_moves_total{to="Quarantined",source="Firewall"}': 1,
      'sallyport_issuances_total{credential="X509Svid"}': 1,
      sallyport_audit_append_failures_total: 0,
      'sallyport_audit_events_total{kind="verdict"}': 3,
      'sallyport_audit_events_total{kind="move"}': 1,
      sallyport_audit_log_healthy: 1,
      sallyport_agent_state_healthy: 1,
      sallyport_identity_healthy: 1,
      sallyport_policy_faults: 0,
      sallyport_admin_followers: 1,
      'sallyport_admin_requests_total{route="/metrics",status="401"}': 1,
      'sallyport_admin_requests_total{route="/metrics",status="200"}': 1,
      [`sallyport_build_info{version="${versionOf(text)}"}`]: 1,
    }
    for (const [name, value] of Object.entries(wanted)) assert.equal(samples.get(name), value, name)
    const told = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name))
    assert.deepEqual([...told].sort(), Object.keys(METRICS).sort())
    for (const secret of ['marketing', 'nobody_granted_this', 'run_sql', 'gpt-5']) assert.ok(!text.includes(secret))
  } finally {
    follower.abort()
    await running.stop('SIGKILL')
    await mock.close()
  }
})

function versionOf(text: string): string {
  return /sallyport_build_info\{version="([^"]+)"/.exec(text)?.[1] ?? ''
}
