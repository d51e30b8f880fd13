/** The official client of A2A, through the real process, to a real agent: what both sides see. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TaskState } from '@a2a-js/sdk'
import { AgentEvent } from '@a2a-js/sdk/server'
import { eventsOf, KINDS, refused, sending, verdictsOf, withBench } from '../fixtures/a2a-bench.ts'
import { type Answer, artifactOf, messageOf, partOf, stateOf, taskOf } from '../fixtures/a2a-server.ts'

const EVIL = partOf({ $case: 'url', value: 'https://evil.example/?d=secret' })
const FINE = partOf({ $case: 'text', value: 'fine' })

/** An agent that tells an address that is not its own. */
const leaking: Answer = (text, bus, context) => {
  if (text === 'message') {
    bus.publish(messageOf(context, [EVIL]))
    return bus.finished()
  }
  bus.publish(AgentEvent.task(taskOf(context)))
  bus.publish(artifactOf(context, [FINE]))
  bus.publish(artifactOf(context, [EVIL], { append: true }))
  bus.publish(artifactOf(context, [FINE], { append: true, lastChunk: true }))
  bus.publish(stateOf(context, TaskState.TASK_STATE_COMPLETED))
  bus.finished()
}

for (const kind of KINDS) {
  const name = `${kind.binding} ${kind.version}`

  test(`[PEER-01] ${name}: a message goes out, its task comes back, can be asked for, and is on the record`, () =>
    withBench({}, async ({ peer, running, connect }) => {
      const client = await connect(kind)
      const said = await client.sendMessage(sending('say hello'))
      assert.ok('messageId' in said)
      assert.deepEqual(said.parts[0]?.content, { $case: 'text', value: 'hello' })
      const task = await client.sendMessage(sending('work'))
      assert.ok('artifacts' in task)
      assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED)
      assert.deepEqual(task.artifacts[0]?.parts[0]?.content, { $case: 'text', value: 'echo work' })
      const again = await client.getTask({ tenant: '', id: task.id })
      assert.equal(again.id, task.id)
      assert.deepEqual(peer.said, ['say hello', 'work'])
      assert.deepEqual(
        (await verdictsOf(running)).map((line) => [line.dialect, line.direction, line.action]),
        [
          ['a2a', 'ToPeer', 'Allow'],
          ['a2a', 'ToPeer', 'Allow'],
        ],
      )
      for (const { headers } of peer.seen) assert.equal(headers['authorization'], undefined)
    }))

  test(`[PEER-01] ${name}: a stream comes event by event, and its task can be subscribed to no more once it is over`, () =>
    withBench({}, async ({ connect }) => {
      const client = await connect(kind)
      const events = await eventsOf(client.sendMessageStream(sending('stream')))
      assert.deepEqual(
        events.map(({ payload }) => payload?.$case),
        ['task', 'artifactUpdate', 'statusUpdate'],
      )
    }))

  test(`[PEER-02] ${name}: a message that may not be sent never reaches the peer, and the client's error says why`, () =>
    withBench({}, async ({ peer, running, connect }) => {
      const client = await connect(kind)
      const rows = [
        [sending('x', { metadata: { skill: 'translate' } }), 'PEER_SKILL_NOT_GRANTED'],
        [sending('x', { parts: [partOf({ $case: 'url', value: 'https://evil.example/x' })] }), 'PEER_URL_NOT_GRANTED'],
        [sending('x', { taskId: 'of-another' }), 'PEER_TASK_UNKNOWN'],
      ] as const
      for (const [request, reason] of rows) {
        await assert.rejects(client.sendMessage(request), refused(reason))
        await assert.rejects(eventsOf(client.sendMessageStream(request)), refused(reason))
        assert.deepEqual((await verdictsOf(running)).at(-1)?.reasons[0], reason)
      }
      await client.sendMessage(sending('say ok', { metadata: { skill: 'summarize' } }))
      assert.deepEqual(peer.said, ['say ok'])
      await assert.rejects((await connect(kind, 'silent')).sendMessage(sending('x')), refused('INTENT_AGENT_DELEGATE'))
      assert.equal(peer.said.length, 1)
    }))

  test(`[PEER-03] ${name}: an event with an address that is not granted becomes a task that is rejected, and the rest is silent`, () =>
    withBench({ answer: leaking }, async ({ running, connect }) => {
      const client = await connect(kind)
      const events = await eventsOf(client.sendMessageStream(sending('stream')))
      assert.deepEqual(
        events.map(({ payload }) => payload?.$case),
        ['task', 'artifactUpdate', 'statusUpdate'],
      )
      const { payload } = events[2] ?? {}
      assert.ok(payload?.$case === 'statusUpdate')
      assert.equal(payload.value.status?.state, TaskState.TASK_STATE_REJECTED)
      const [word] = payload.value.status.message?.parts ?? []
      assert.ok(word?.content?.$case === 'text')
      assert.match(word.content.value, /^sallyport: PEER_URL_NOT_GRANTED: /)
      const [last] = (await verdictsOf(running)).slice(-1)
      assert.deepEqual([last?.direction, last?.action, last?.reasons], ['FromPeer', 'Deny', ['PEER_URL_NOT_GRANTED']])
    }))

  test(`[PEER-03] ${name}: in a whole answer the task is rejected, and a message is an error`, () =>
    withBench({ answer: leaking }, async ({ connect }) => {
      const client = await connect(kind)
      const task = await client.sendMessage(sending('whole'))
      assert.ok('status' in task)
      assert.equal(task.status?.state, TaskState.TASK_STATE_REJECTED)
      assert.doesNotMatch(JSON.stringify(task), /evil/)
      const again = await client.getTask({ tenant: '', id: task.id })
      assert.equal(again.status?.state, TaskState.TASK_STATE_REJECTED)
      assert.doesNotMatch(JSON.stringify(again), /evil/)
      await assert.rejects(client.sendMessage(sending('message')), refused('PEER_URL_NOT_GRANTED'))
    }))

  test(`[PEER-05] ${name}: the address for notifications is judged, and only a task of one's own is told of`, () =>
    withBench({}, async ({ peer, connect }) => {
      const client = await connect(kind)
      const task = await client.sendMessage(sending('work'))
      assert.ok('artifacts' in task)
      const config = { tenant: '', id: 'c1', taskId: task.id, token: 't', authentication: undefined }
      for (const url of ['https://evil.example/hook', 'http://169.254.169.254/latest', 'http://localhost:1/'])
        await assert.rejects(
          client.createTaskPushNotificationConfig({ ...config, url }),
          refused('PEER_URL_NOT_GRANTED'),
        )
      const set = await client.createTaskPushNotificationConfig({ ...config, url: `${peer.origin}/hook` })
      assert.equal(set.url, `${peer.origin}/hook`)
      const other = await connect(kind, 'sales')
      await assert.rejects(other.getTask({ tenant: '', id: task.id }), refused('PEER_TASK_UNKNOWN'))
      await assert.rejects(
        other.cancelTask({ tenant: '', id: task.id, metadata: undefined }),
        refused('PEER_TASK_UNKNOWN'),
      )
      await assert.rejects(
        other.getTaskPushNotificationConfig({ tenant: '', taskId: task.id, id: 'c1' }),
        refused('PEER_TASK_UNKNOWN'),
      )
      await assert.rejects(other.sendMessage(sending('x', { contextId: task.contextId })), refused('PEER_TASK_UNKNOWN'))
    }))
}

test('[PEER-06] the card leads to the facade, and tells of granted skills alone', () =>
  withBench({}, async ({ running, peer, connect }) => {
    const client = await connect()
    const card = await client.getAgentCard()
    assert.deepEqual(
      card.skills.map(({ id }) => id),
      ['summarize'],
    )
    const address = `${running.ready.facade}/a2a/research`
    assert.deepEqual(
      card.supportedInterfaces.map(({ url, protocolBinding }) => [url, protocolBinding]),
      [
        [address, 'JSONRPC'],
        [address, 'HTTP+JSON'],
        [address, 'JSONRPC'],
        [address, 'HTTP+JSON'],
      ],
    )
    assert.ok(peer.seen.some(({ path }) => path === '/.well-known/agent-card.json'))
    const stranger = await fetch(`${address}/.well-known/agent-card.json`, {
      headers: { authorization: `Bearer ${running.token('growth/stranger')}` },
    })
    assert.equal(stranger.status, 403)
    assert.match(await stranger.text(), /PEER_NOT_GRANTED/)
  }))

const STREAMS = 50

test('[PEER-08] 200 streams at once, in every version and binding, never mix', () => {
  const slowly: Answer = async (text, bus, context) => {
    bus.publish(AgentEvent.task(taskOf(context)))
    for (let piece = 0; piece < 5; piece += 1) {
      await new Promise((resolve) => setTimeout(resolve, (text.length * 7 + piece) % 5))
      const told = text.endsWith('1') && piece === 3 ? EVIL : partOf({ $case: 'text', value: `${text}-end` })
      bus.publish(artifactOf(context, [told], { append: piece > 0 }))
    }
    bus.publish(stateOf(context, TaskState.TASK_STATE_COMPLETED))
    bus.finished()
  }
  return withBench({ answer: slowly }, async ({ connect }) => {
    const clients = await Promise.all(KINDS.map((kind) => connect(kind)))
    const streams = clients.flatMap((client, which) =>
      Array.from({ length: STREAMS }, async (_, at) => {
        const canary = `canary-${which}-${at}`
        const events = await eventsOf(client.sendMessageStream(sending(canary)))
        return { canary, events }
      }),
    )
    for (const { canary, events } of await Promise.all(streams)) {
      const text = JSON.stringify(events.slice(1))
      assert.deepEqual([...new Set(text.match(/canary-\d+-\d+-end/g))], [`${canary}-end`])
      const last = events.at(-1)?.payload
      assert.ok(last?.$case === 'statusUpdate')
      const { TASK_STATE_REJECTED, TASK_STATE_COMPLETED } = TaskState
      assert.equal(last.value.status?.state, canary.endsWith('1') ? TASK_STATE_REJECTED : TASK_STATE_COMPLETED)
      assert.doesNotMatch(text, /evil/)
    }
  })
})

test('[PEER-05] a list has the own tasks alone, a task can be cancelled, and the extended card is a card', () =>
  withBench({}, async ({ connect }) => {
    const [client, other] = [await connect(), await connect(undefined, 'sales')]
    const task = await client.sendMessage(sending('mine'))
    await other.sendMessage(sending('theirs'))
    assert.ok('artifacts' in task)
    const listed = await client.listTasks({
      tenant: '',
      contextId: '',
      status: TaskState.TASK_STATE_UNSPECIFIED,
      pageToken: '',
      statusTimestampAfter: undefined,
    })
    assert.deepEqual(
      listed.tasks.map(({ id }) => id),
      [task.id],
    )
    await assert.rejects(client.cancelTask({ tenant: '', id: task.id, metadata: undefined }), /cancel/i)
  }))
