import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { followStream } from './stream.ts'

type Asked = { readonly last: string | null; readonly authorization: string | null }

/** Answers one after another; after the last one nobody answers. */
function playing(answers: readonly (() => Response)[]) {
  const asked: Asked[] = []
  const waits: number[] = []
  const faults: (string | null)[] = []
  const seen: string[] = []
  let refused = 0
  let opened = 0
  const stop = followStream(
    {
      token: 'sp_das_x',
      random: () => 0,
      fetch: async (_path, init) => {
        const headers = new Headers(init?.headers)
        asked.push({ last: headers.get('last-event-id'), authorization: headers.get('authorization') })
        const answer = answers[asked.length - 1]
        if (answer === undefined) throw new TypeError('no connection')
        return answer()
      },
    },
    '/v1/events',
    {
      opened: () => {
        opened += 1
      },
      event: ({ event, data }) => seen.push(`${event} ${data}`),
      lost: (waitMs, fault) => {
        waits.push(waitMs)
        faults.push(fault)
      },
      refused: () => {
        refused += 1
      },
    },
  )
  const results = () => ({ asked, waits, faults, seen, refused, opened })
  return { stop, results }
}

const stream = (text: string): Response => new Response(text)

/** Breaks off in the middle of an event, as a connection that is cut does. */
const broken = (text: string): Response =>
  new Response(
    new ReadableStream({
      pull: (controller) => {
        if (text === '') return controller.error(new Error('cut'))
        controller.enqueue(new TextEncoder().encode(text))
        text = ''
      },
    }),
  )

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries += 1) await sleep(5)
  assert.ok(condition())
}

test('[DASH-06] a stream that ends is asked for again from its last id on, and half an event is dropped', async () => {
  const { stop, results } = playing([
    () => stream('id: v_1\nevent: verdict\ndata: 1\n\n'),
    () => broken('id: v_2\nevent: verdict\ndata: 2\n\nid: v_3\nevent: verdict\nda'),
    () => stream('id: v_3\nevent: verdict\ndata: 3\n\n'),
  ])
  await until(() => results().asked.length === 4)
  stop()
  const { asked, seen } = results()
  assert.deepEqual(seen, ['verdict 1', 'verdict 2', 'verdict 3'])
  assert.deepEqual(
    asked.map(({ last }) => last),
    [null, 'v_1', 'v_2', 'v_3'],
  )
  assert.equal(asked[0]?.authorization, 'Bearer sp_das_x')
})

test('[DASH-06] after a reset the id that the process does not know is asked for no more', async () => {
  const { stop, results } = playing([
    () => stream('id: v_1\ndata: 1\n\n'),
    () => stream('event: reset\ndata: {}\n\nid: v_9\ndata: 9\n\n'),
    () => stream('id: v_8\ndata: 8\n\nid: v_9\ndata: 9\n\n'),
  ])
  await until(() => results().asked.length === 4)
  stop()
  const { asked, seen } = results()
  assert.deepEqual(
    asked.map(({ last }) => last),
    [null, 'v_1', null, 'v_9'],
  )
  assert.deepEqual(
    seen,
    ['message 1', 'reset {}', 'message 8', 'message 9'],
    'what stands behind the reset comes again',
  )
})

test('[DASH-06] waits double while nobody answers, and begin anew once something came', async () => {
  const { stop, results } = playing([
    () => new Response('', { status: 503 }),
    () => new Response('', { status: 503 }),
    () => stream('data: 1\n\n'),
  ])
  await until(() => results().waits.length === 4)
  stop()
  assert.deepEqual(results().waits, [125, 250, 125, 250])
  assert.equal(results().opened, 1)
})

test('[DASH-06] why there is no stream is told, where the process says so', async () => {
  const error = JSON.stringify({ error: { code: 'OVERLOADED', message: '16 readers follow' } })
  const { stop, results } = playing([
    () => new Response(error, { status: 503 }),
    () => stream(`event: error\ndata: ${error}\n\n`),
  ])
  await until(() => results().waits.length === 3)
  stop()
  assert.deepEqual(results().faults, ['OVERLOADED: 16 readers follow', 'OVERLOADED: 16 readers follow', null])
})

test('[DASH-06] a token that opens nothing ends it, and so does a stop', async () => {
  const refused = playing([() => new Response('', { status: 401 })])
  await until(() => refused.results().refused === 1)
  const stopped = playing([() => stream(''), () => stream('')])
  await until(() => stopped.results().waits.length === 1)
  stopped.stop()
  await sleep(300)
  assert.deepEqual([refused.results().asked.length, stopped.results().asked.length], [1, 1])
})
