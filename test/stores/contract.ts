/** What every store of lives has to do: one suite for the twins in this process and for the real servers. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { type AgentKey, agentKeyOf } from '#pkg/model'
import { isErrorCode } from '#pkg/model/errors'
import { silentLog } from '#pkg/platform/log'
import { type EpochCounter, type Epochs, openEpochs, type RowStore } from '#pkg/platform/store'

/** A row as the suite writes it. */
export type Row = { readonly agent: AgentKey; readonly epoch: number; readonly note: string }

/** Reads such a row. */
export function decodeRow(value: unknown): Row | null {
  if (typeof value !== 'object' || value === null) return null
  const { agent, epoch, note } = value as Partial<Record<string, unknown>>
  const [namespace, name] = String(agent).split('/')
  if (namespace === undefined || name === undefined || typeof epoch !== 'number' || typeof note !== 'string')
    return null
  return { agent: agentKeyOf({ namespace, name }), epoch, note }
}

/** One pair of stores, empty at its beginning. */
export type World = {
  /** Another replica's view. */
  rows(): Promise<RowStore<Row>>
  counter(): Promise<EpochCounter>
  /** The fast store forgets everything. */
  lose(): Promise<void>
  /** The fast store goes back to what it was at the last `mark`, as after a failover. */
  mark(): Promise<void>
  fallBack(): Promise<void>
  /** Every watcher is cut off; what is raised before it is back it misses. */
  interrupt(): Promise<void>
  close(): Promise<void>
}

const agentOf = (name: string): AgentKey => agentKeyOf({ namespace: 'growth', name })
const ada = agentOf('ada')
const bob = agentOf('bob')
const rowOf = (agent: AgentKey, epoch: number, note = ''): Row => ({ agent, epoch, note })

export async function until(look: () => boolean, what: string, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!look()) {
    if (performance.now() > end) assert.fail(what)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Registers the suite. `open` gives an empty world. */
export function storeContract(name: string, open: () => Promise<World>): void {
  const opened = new Set<World>()
  const closers: (() => Promise<void>)[] = []
  const world = async (): Promise<World> => {
    const made = await open()
    opened.add(made)
    return made
  }
  const replica = async (at: World): Promise<Epochs> => {
    const [rows, counter] = await Promise.all([at.rows(), at.counter()])
    const epochs = await openEpochs({ rows, counter, log: silentLog }, { retryMs: 50 })
    closers.push(async () => {
      await epochs.close()
      await counter.close()
      await rows.close()
    })
    return epochs
  }
  after(async () => {
    for (const close of closers) await close()
    for (const made of opened) await made.close()
  })
  rowContract(name, world)
  counterContract(name, world)
  epochsContract(name, world, replica)
}

function rowContract(name: string, world: () => Promise<World>): void {
  test(`[STORE-01] ${name}: a row is read back as it was written, by every replica, with the number of its writes`, async () => {
    const at = await world()
    const [one, two] = [await at.rows(), await at.rows()]
    assert.equal(await one.get(ada), null)
    assert.deepEqual(await one.put(rowOf(ada, 1, 'é\u0001"'), 0), { kind: 'written', revision: 1 })
    assert.deepEqual(await two.get(ada), { row: rowOf(ada, 1, 'é\u0001"'), revision: 1 })
    assert.deepEqual(await two.put(rowOf(ada, 2), 1), { kind: 'written', revision: 2 })
    assert.deepEqual(await one.put(rowOf(ada, 2, 'same epoch'), 2), { kind: 'written', revision: 3 })
    assert.deepEqual(await one.get(bob), null)
    await Promise.all([one.close(), two.close()])
  })

  test(`[STORE-01] ${name}: a write that did not see the last one, or whose epoch is smaller, is none`, async () => {
    const rows = await (await world()).rows()
    await rows.put(rowOf(ada, 5), 0)
    const there = { row: rowOf(ada, 5), revision: 1 }
    for (const [row, seen] of [
      [rowOf(ada, 9), 0],
      [rowOf(ada, 9), 2],
      [rowOf(ada, 4), 1],
      [rowOf(ada, 1), 0],
    ] as const)
      assert.deepEqual(await rows.put(row, seen), { kind: 'stale', found: there }, `${row.epoch} after ${seen}`)
    assert.deepEqual(await rows.put(rowOf(bob, 3), 7), { kind: 'stale', found: null })
    assert.deepEqual(await rows.get(ada), there)
    await rows.close()
  })

  test(`[STORE-01] ${name}: of many writes at the same time after the same reading one is made`, async () => {
    const at = await world()
    const replicas = await Promise.all([at.rows(), at.rows()])
    const [first] = replicas
    await first?.put(rowOf(ada, 1), 0)
    const puts = await Promise.all(
      Array.from({ length: 20 }, (_, n) => replicas[n % 2]?.put(rowOf(ada, 2, String(n)), 1)),
    )
    assert.equal(puts.filter((put) => put?.kind === 'written').length, 1)
    await Promise.all(replicas.map((rows) => rows.close()))
  })

  test(`[STORE-01] ${name}: whatever is written in whatever order, the epoch of a row never falls`, async () => {
    const at = await world()
    const rows = await at.rows()
    let serial = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 4 })), { maxLength: 8 }),
        async (writes) => {
          serial += 1
          const agent = agentOf(`a${serial}`)
          let largest = 0
          for (const [epoch, back] of writes) {
            const revision = (await rows.get(agent))?.revision ?? 0
            await rows.put(rowOf(agent, epoch), Math.max(0, revision - (back === 4 ? 1 : 0)))
            const now = (await rows.get(agent))?.row.epoch ?? 0
            assert.ok(now >= largest)
            largest = now
          }
        },
      ),
      { numRuns: 40 },
    )
    await rows.close()
  })

  test(`[STORE-01] ${name}: all rows are read, each once, more than a page of them`, async () => {
    const rows = await (await world()).rows()
    const names = Array.from({ length: 25 }, (_, n) => agentOf(`a${String(n).padStart(2, '0')}`))
    await Promise.all(names.map((agent) => rows.put(rowOf(agent, 1), 0)))
    const seen: AgentKey[] = []
    for await (const { row } of rows.all()) seen.push(row.agent)
    assert.deepEqual(seen, names)
    await rows.close()
  })

  test(`[STORE-02] ${name}: a new floor is above every epoch and every floor before, also for another replica`, async () => {
    const at = await world()
    const [one, two] = [await at.rows(), await at.rows()]
    assert.equal(await one.newFloor(1_024), 1_024)
    await one.put(rowOf(ada, 5_000), 0)
    assert.equal(await two.newFloor(1_024), 6_024)
    assert.equal(await one.newFloor(1_024), 7_048)
    const many = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? one : two).newFloor(10)))
    assert.equal(new Set(many).size, 8)
    await Promise.all([one.close(), two.close()])
  })
}

function counterContract(name: string, world: () => Promise<World>): void {
  test(`[STORE-03] ${name}: an epoch that is not known is not raised; seeding never makes one fall`, async () => {
    const at = await world()
    const counter = await at.counter()
    assert.deepEqual(
      [await counter.current(ada), await counter.raise(ada), await counter.current(ada)],
      [null, null, null],
    )
    assert.deepEqual([await counter.seed(ada, 7), await counter.seed(ada, 3), await counter.current(ada)], [7, 7, 7])
    assert.deepEqual([await counter.raise(ada), await counter.raise(ada), await counter.current(bob)], [8, 9, null])
    const large = 9_007_199_254_740_000
    assert.deepEqual([await counter.seed(bob, large), await counter.raise(bob)], [large, large + 1])
    await at.lose()
    assert.deepEqual([await counter.current(ada), await counter.raise(ada)], [null, null])
    await counter.close()
  })

  test(`[STORE-03] ${name}: raises at the same time by two replicas are one after the other, and both hear of each in order`, async () => {
    const at = await world()
    const replicas = await Promise.all([at.counter(), at.counter()])
    const heard: number[][] = [[], []]
    await replicas[0]?.seed(ada, 1)
    await Promise.all(
      replicas.map((counter, n) =>
        counter.watch({ raised: (_, epoch) => heard[n]?.push(epoch), lost: () => {}, found: () => {} }),
      ),
    )
    const raised = await Promise.all(Array.from({ length: 40 }, (_, n) => replicas[n % 2]?.raise(ada)))
    const all = Array.from({ length: 40 }, (_, n) => n + 2)
    assert.deepEqual(
      [...raised].sort((a, b) => Number(a) - Number(b)),
      all,
    )
    await until(() => heard.every((list) => list.length === 40), 'all is heard')
    assert.deepEqual(heard, [all, all])
    await Promise.all(replicas.map((counter) => counter.close()))
  })
}

function epochsContract(name: string, world: () => Promise<World>, replica: (at: World) => Promise<Epochs>): void {
  const twoWith = async (epoch: number): Promise<{ at: World; one: Epochs; two: Epochs }> => {
    const at = await world()
    const rows = await at.rows()
    await rows.put(rowOf(ada, epoch), 0)
    await rows.put(rowOf(bob, 1), 0)
    await rows.close()
    const [one, two] = [await replica(at), await replica(at)]
    return { at, one, two }
  }

  test(`[STORE-04] ${name}: a kill in one replica is seen by the other; who is not known is refused`, async () => {
    const { one, two } = await twoWith(3)
    assert.equal(one.epochOf(agentOf('nobody')), null)
    assert.equal(one.epochOf(ada), two.epochOf(ada))
    const heard: string[] = []
    two.onRaised((agent, epoch) => heard.push(`${agent} ${epoch}`))
    const epoch = await one.raise(ada)
    assert.equal(one.epochOf(ada), epoch)
    await until(() => two.epochOf(ada) === epoch, 'the other has seen it')
    assert.deepEqual(heard, [`growth/ada ${epoch}`])
    await one.admit(agentOf('carl'), 1)
    await until(() => two.epochOf(agentOf('carl')) === 1, 'who is admitted is known')
  })

  test(`[STORE-04] ${name}: after a loss all are denied until every epoch stands 1,024 above what the rows know`, async () => {
    const { at, one, two } = await twoWith(3)
    const before = Math.max(one.epochOf(ada) ?? 0, one.epochOf(bob) ?? 0)
    await at.lose()
    await assert.rejects(one.raise(ada), (error) => isErrorCode(error, 'STATE_UNAVAILABLE'))
    assert.deepEqual([one.known, one.epochOf(ada), one.epochOf(bob)], [false, null, null])
    await until(() => one.known, 'the epochs are found again')
    for (const agent of [ada, bob]) {
      const now = one.epochOf(agent) ?? 0
      assert.ok(now >= before + 1_024, `${agent} ${now}`)
      await until(() => two.epochOf(agent) === now, 'the other follows')
    }
    const next = (one.epochOf(ada) ?? 0) + 1
    assert.equal(await two.raise(ada), next)
  })

  test(`[STORE-04] ${name}: an unwritten kill before a loss is not undone, nor by a second loss`, async () => {
    const { at, one } = await twoWith(3)
    const killed = await one.raise(ada)
    for (const _ of [1, 2]) {
      const before = one.epochOf(ada) ?? 0
      await at.lose()
      const fresh = await replica(at) // nothing is in its memory
      assert.ok((fresh.epochOf(ada) ?? 0) > killed)
      await until(() => one.known && (one.epochOf(ada) ?? 0) > before, 'the old one is above, too')
    }
  })

  test(`[STORE-04] ${name}: an epoch that has fallen, as after a failover, is a loss`, async () => {
    const { at, one, two } = await twoWith(3)
    await at.mark()
    const killed = await one.raise(ada)
    await until(() => two.epochOf(ada) === killed, 'the other has seen it')
    await at.fallBack()
    await assert.rejects(one.raise(ada), (error) => isErrorCode(error, 'STATE_UNAVAILABLE'))
    assert.equal(one.epochOf(ada), null)
    await until(() => one.known && two.known, 'the epochs are found again')
    await until(() => (two.epochOf(ada) ?? 0) > killed && one.epochOf(ada) === two.epochOf(ada), 'above the kill')
  })

  test(`[STORE-04] ${name}: a replica that was cut off reads again before it answers`, async () => {
    const { at, one, two } = await twoWith(3)
    const doubted = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!two.known) resolve()
        else setImmediate(look)
      }
      look()
    })
    await at.interrupt()
    await doubted
    await until(() => one.known && two.known, 'both are back')
    const epoch = await one.raise(ada)
    await until(() => two.epochOf(ada) === epoch, 'pushes come again')
  })
}
