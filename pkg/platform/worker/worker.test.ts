import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isErrorCode } from '#pkg/model/errors'
import { newManualClock, systemClock } from '#pkg/platform/clock'
import { newWorkerPool, type WorkerEvent, type WorkerOptions, type WorkerPool } from '#pkg/platform/worker'
import type { Misdeed } from './misbehaving.fixture.ts'
import { newRestartPace } from './restart-pace.ts'

const MISBEHAVING = new URL('./misbehaving.fixture.ts', import.meta.url)
const BROKEN = new URL('./broken.fixture.ts', import.meta.url)
const MIB = 1024 * 1024

const opened: WorkerPool<Misdeed, unknown>[] = []
after(() => Promise.all(opened.map((pool) => pool.close())))

/** A pool whose deadline leaves room for a machine that is busy with other tests. */
function open(options: Partial<WorkerOptions> = {}): { pool: WorkerPool<Misdeed, unknown>; events: WorkerEvent[] } {
  const events: WorkerEvent[] = []
  const pool = newWorkerPool<Misdeed, unknown>(
    { clock: systemClock, onEvent: (event) => events.push(event) },
    { entry: MISBEHAVING, deadlineMs: 2_000, waitMs: 10_000, ...options },
  )
  opened.push(pool)
  return { pool, events }
}

const echo = (text: string): Misdeed => ({ do: 'echo', text })

/** Waits for both threads: tests that count need the spare to be there. */
async function bothReady(pool: WorkerPool<Misdeed, unknown>): Promise<void> {
  for (let turn = 0; pool.stats().ready < 2 && turn < 500; turn++) await new Promise((next) => setTimeout(next, 10))
  assert.equal(pool.stats().ready, 2)
}

test('[WRK-01] jobs are answered in order, also those that came before a thread was ready', async () => {
  const { pool } = open()
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => pool.run(echo(`job ${at}`))))
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, at) => ({ ok: true, value: `job ${at}` })),
  )
})

test('[WRK-02] a job that hangs is answered `timeout` at its deadline; those behind it go to the spare at once', async () => {
  const { pool, events } = open({ deadlineMs: 150 })
  await bothReady(pool)
  const from = performance.now()
  const hung = pool.run({ do: 'hang' })
  const behind = Array.from({ length: 20 }, (_, at) => pool.run(echo(`${at}`)))
  assert.deepEqual(await hung, { ok: false, why: 'timeout' })
  const late = performance.now() - from
  assert.ok(late >= 145, `${late} ms`)
  for (const [at, answer] of (await Promise.all(behind)).entries())
    assert.deepEqual(answer, { ok: true, value: `${at}` })
  assert.equal(pool.stats().timeouts, 1)
  assert.ok(events.some((event) => event.kind === 'timeout'))
  await bothReady(pool)
  assert.equal(pool.stats().starts, 3)
})

test('[WRK-02] an answer that is there when the deadline comes late is not late', async () => {
  const { pool } = open({ deadlineMs: 60 })
  await bothReady(pool)
  const answer = pool.run(echo('in time'))
  const until = performance.now() + 200
  while (performance.now() < until); // the event loop stands still: the timer is due before the answer is read
  assert.deepEqual(await answer, { ok: true, value: 'in time' })
  assert.equal(pool.stats().timeouts, 0)
})

for (const row of [
  { name: 'throws', job: { do: 'throw' }, error: 'TypeError' },
  { name: 'throws outside of its handler', job: { do: 'throw-later' }, error: 'RangeError' },
  { name: 'exits', job: { do: 'exit' }, error: 'exit 3' },
  { name: 'runs out of memory', job: { do: 'run-out-of-memory' }, error: 'ERR_WORKER_OUT_OF_MEMORY' },
  { name: 'answers what cannot be sent', job: { do: 'unsendable' }, error: 'DataCloneError' },
] as const) {
  test(`[WRK-03] a job whose thread ${row.name} is answered \`failed\`, the next ones are done`, async () => {
    const { pool, events } = open({ deadlineMs: 20_000, heapBytes: 16 * MIB })
    await bothReady(pool)
    const [failed, ...others] = await Promise.all([pool.run(row.job), pool.run(echo('a')), pool.run(echo('b'))])
    assert.deepEqual(failed, { ok: false, why: 'failed' })
    assert.deepEqual(others, [
      { ok: true, value: 'a' },
      { ok: true, value: 'b' },
    ])
    assert.deepEqual(
      events.filter((event) => event.kind === 'failed'),
      [{ kind: 'failed', error: row.error }],
    )
    await bothReady(pool)
  })
}

test('[WRK-03] a job that cannot be sent fails alone: no thread is lost', async () => {
  const { pool } = open()
  const job = { do: 'echo', text: () => 'a function' } as unknown as Misdeed // what a caller without types could do
  assert.deepEqual(await pool.run(job), { ok: false, why: 'failed' })
  assert.deepEqual(await pool.run(echo('a')), { ok: true, value: 'a' })
  assert.ok(pool.stats().starts <= 2)
})

for (const kind of ['grow', 'grow-wasm'] as const) {
  test(`[WRK-04] a thread that has grown past heapBytes is replaced when it is idle, no job is lost (${kind})`, async () => {
    const { pool, events } = open({ heapBytes: 64 * MIB })
    await bothReady(pool)
    const small = await pool.run({ do: kind, bytes: MIB })
    assert.equal(pool.stats().recycles, 0)
    const large = await pool.run({ do: kind, bytes: 72 * MIB })
    assert.deepEqual(large, small, 'the thread that grew gave its answer')
    assert.equal(pool.stats().recycles, 1)
    const next = await pool.run({ do: kind, bytes: 0 })
    assert.notDeepEqual(next, small, 'another thread has taken over')
    assert.ok(events.some((event) => event.kind === 'recycled' && event.heapBytes > 64 * MIB))
    await bothReady(pool)
    assert.ok(pool.stats().heapBytes < 64 * MIB)
  })
}

test('[WRK-05] as many jobs as maxWaiting may wait, one more is answered `overloaded` at once', async () => {
  const { pool } = open({ maxWaiting: 3 })
  await pool.ready()
  const running = pool.run({ do: 'wait', ms: 50 })
  const waiting = [pool.run(echo('1')), pool.run(echo('2')), pool.run(echo('3'))]
  assert.deepEqual(await pool.run(echo('4')), { ok: false, why: 'overloaded' })
  assert.equal((await running).ok, true)
  assert.ok((await Promise.all(waiting)).every((answer) => answer.ok))
  assert.equal(pool.stats().overloads, 1)
})

test('[WRK-05] a job that waits longer than waitMs is answered `overloaded`', async () => {
  const { pool } = open({ waitMs: 40, deadlineMs: 20_000 })
  await pool.ready()
  const running = pool.run({ do: 'wait', ms: 300 })
  assert.deepEqual(await pool.run(echo('behind')), { ok: false, why: 'overloaded' })
  assert.deepEqual(await running, { ok: true, value: 'waited' })
})

test('[WRK-06] an entry that cannot start is tried again at a pace, and run() is answered', async () => {
  const { pool, events } = open({ entry: BROKEN, waitMs: 400, startMs: 600, restartIntervalMs: 100 })
  assert.deepEqual(await pool.run(echo('a')), { ok: false, why: 'overloaded' })
  await assert.rejects(pool.ready(), (error) => isErrorCode(error, 'INTERNAL'))
  assert.ok(events.filter((event) => event.kind === 'start-failed').length >= 2)
  assert.ok(pool.stats().starts <= 12, `${pool.stats().starts} starts`)
})

test('[WRK-06] after a burst, restarts come one per interval, and ever more slowly while they fail', () => {
  const clock = newManualClock()
  const pace = newRestartPace(() => clock.monotonicUs() / 1_000, { burst: 3, intervalMs: 100 })
  assert.deepEqual(
    Array.from({ length: 5 }, () => pace.nextDelayMs()),
    [0, 0, 0, 100, 200],
  )
  clock.advanceMs(10_000)
  assert.deepEqual(
    Array.from({ length: 4 }, () => pace.nextDelayMs()),
    [0, 0, 0, 100],
  )
  const delays = Array.from({ length: 9 }, () => {
    pace.startFailed()
    return pace.nextDelayMs()
  })
  assert.deepEqual(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
  pace.startSucceeded()
  clock.advanceMs(10_000)
  assert.equal(pace.nextDelayMs(), 0)
})

test('[WRK-07] close answers what waits and runs with `closed`, ends the threads, and may be called twice', async () => {
  const { pool } = open({ deadlineMs: 20_000 })
  await pool.ready()
  const jobs = [pool.run({ do: 'hang' }), pool.run(echo('a'))]
  await Promise.all([pool.close(), pool.close()])
  for (const answer of await Promise.all(jobs)) assert.deepEqual(answer, { ok: false, why: 'closed' })
  assert.deepEqual(await pool.run(echo('b')), { ok: false, why: 'closed' })
  await assert.rejects(pool.ready(), (error) => isErrorCode(error, 'INTERNAL'))
  assert.equal(pool.stats().ready, 0)
})

test('[WRK-07] an idle pool does not keep its process alive, a job that runs does', () => {
  const script = `
    import { newWorkerPool } from '#pkg/platform/worker'
    import { systemClock } from '#pkg/platform/clock'
    const pool = newWorkerPool({ clock: systemClock }, { entry: new URL(${JSON.stringify(MISBEHAVING.href)}), deadlineMs: 5000 })
    pool.run({ do: 'wait', ms: 30 }).then((answer) => console.log(JSON.stringify(answer)))`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    encoding: 'utf8',
    timeout: 15_000,
  })
  assert.equal(child.stdout.trim(), '{"ok":true,"value":"waited"}', child.stderr)
  assert.equal(child.status, 0)
})

test('[WRK-08] a thread sees no environment, and its events quote no job', async () => {
  const { pool, events } = open()
  assert.deepEqual(await pool.run({ do: 'environment' }), { ok: true, value: '{}' })
  await pool.run({ do: 'throw' })
  assert.ok(!JSON.stringify(events).includes('text of the job'))
})

test('[WRK-08] serve() throws where no pool started the script', async () => {
  const { serve } = await import('#pkg/platform/worker')
  assert.throws(() => serve({ handle: () => null }))
})
