import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SallyportError } from '#pkg/model/errors'
import { type Bench, run, withProcess } from '../../../test/fixtures/run-cli.ts'

const WHY = ['--reason', 'looks odd'] as const
const NAME = 'growth/marketing'

type Row = {
  readonly words: readonly string[]
  readonly status: number
  /** The body that is sent, or null where nothing is. */
  readonly asked: object | null
  readonly done?: Bench['source']['done']
  readonly out?: RegExp
  readonly err?: RegExp
}

const rows: readonly Row[] = [
  {
    words: ['quarantine', NAME, ...WHY],
    status: 0,
    asked: { verb: 'quarantine' },
    out: /^growth\/marketing: Active → Quarantined, epoch 2, acked 1 of 1$/m,
  },
  { words: ['suspend', '-n', 'growth', 'marketing', ...WHY], status: 0, asked: { verb: 'suspend' } },
  {
    words: ['quarantine', NAME, ...WHY],
    status: 0,
    asked: { verb: 'quarantine' },
    done: { from: 'Quarantined', changed: false },
    out: /is Quarantined already, epoch 2: nothing was changed/,
  },
  {
    words: ['release', NAME, ...WHY],
    status: 0,
    asked: { verb: 'release', throughEpoch: 1 },
    done: { from: 'Quarantined', to: 'Active' },
  },
  {
    words: ['release', NAME, ...WHY, '--through-epoch', '7'],
    status: 0,
    asked: { verb: 'release', throughEpoch: 7 },
    done: { from: 'Quarantined', to: 'Active' },
  },
  {
    words: ['release', NAME, ...WHY],
    status: 1,
    asked: { verb: 'release', throughEpoch: 1 },
    done: { from: 'Quarantined', to: 'Quarantined' },
    err: /the agent stays Quarantined\n.*a hold was raised meanwhile/,
  },
  {
    words: ['reinstate', NAME, ...WHY],
    status: 1,
    asked: { verb: 'reinstate', throughEpoch: 1 },
    done: new SallyportError('MOVE_REFUSED', 'reinstate is not possible; possible: release'),
    err: /^sallyctl: MOVE_REFUSED: .*possible: release\n$/,
  },
  {
    words: ['release', NAME, ...WHY],
    status: 1,
    asked: { verb: 'release', throughEpoch: 1 },
    done: new SallyportError('MOVE_OVERRIDDEN', 'stays Quarantined: a.yaml:5 says so'),
    err: /a\.yaml:5/,
  },
  {
    words: ['suspend', NAME, ...WHY],
    status: 1,
    asked: { verb: 'suspend' },
    done: { durable: false },
    err: /could not be written down/,
  },
  {
    words: ['terminate', NAME, ...WHY, '--confirm', 'marketing', '--force'],
    status: 0,
    asked: { verb: 'terminate', force: true },
    done: { to: 'Terminated' },
  },
  { words: ['terminate', NAME, ...WHY, '--confirm', 'research'], status: 65, asked: null, err: /MOVE_UNCONFIRMED/ },
  { words: ['terminate', NAME, ...WHY], status: 64, asked: null },
  { words: ['quarantine', NAME], status: 64, asked: null },
  { words: ['quarantine', ...WHY], status: 64, asked: null },
  { words: ['quarantine', NAME, '--reason', ''], status: 64, asked: null, err: /reason must be a text/ },
  { words: ['release', NAME, ...WHY, '--through-epoch', 'two'], status: 64, asked: null, err: /whole number/ },
  { words: ['release', 'growth/nobody', ...WHY], status: 1, asked: null, err: /ADMIN_NOT_FOUND/ },
  {
    words: ['agents', 'forget', NAME, ...WHY],
    status: 0,
    asked: { verb: 'forget' },
    done: { from: 'Terminated', to: null },
    out: /^growth\/marketing is forgotten$/m,
  },
]

for (const { words, status, asked, done = {}, out, err } of rows)
  test(`[CLI-11] ${words.join(' ')}: ${status}${err === undefined ? '' : `, ${err}`}`, () =>
    withProcess(async ({ source, at }) => {
      source.done = done
      const ran = await run([...words, ...at])
      assert.equal(ran.status, status, ran.err)
      const sent = source.moves.map(({ ask }) => ask)
      const by = `socket:uid=${process.getuid?.()}`
      assert.deepEqual(sent, asked === null ? [] : [{ reason: 'looks odd', force: false, by, ...asked }])
      if (out !== undefined) assert.match(ran.out, out)
      if (err !== undefined) assert.match(ran.err, err)
    }))

test('[CLI-11] -o json is the answer of the admin API', () =>
  withProcess(async ({ at }) => {
    const { out } = await run(['quarantine', NAME, ...WHY, '-o', 'json', ...at])
    assert.deepEqual(JSON.parse(out), {
      namespace: 'growth',
      name: 'marketing',
      verb: 'quarantine',
      from: 'Active',
      to: 'Quarantined',
      epoch: 2,
      changed: true,
      durable: true,
      acks: { wanted: 1, received: 1 },
    })
  }))

test('[CLI-11] a verb waits until all have followed, with progress on a terminal alone', () =>
  withProcess(async ({ source, at }) => {
    const [status] = source.agents()
    assert.ok(status !== undefined)
    let looks = 0
    source.done = { acks: { wanted: 1, received: 0 } }
    source.agents = () => {
      looks += 1
      return [{ ...status, acks: { wanted: 1, received: looks % 3 === 0 ? 1 : 0 } }]
    }
    const shown = await run(['quarantine', NAME, ...WHY, ...at], { isTerminal: true })
    assert.deepEqual([shown.status, looks], [0, 3])
    assert.match(shown.out, /acked 1 of 1/)
    assert.match(shown.err, /\rwaiting: acked 0 of 1/)
    const plain = await run(['quarantine', NAME, ...WHY, ...at])
    assert.deepEqual([plain.status, plain.err], [0, ''])
  }))

test('[CLI-11] agents --watch prints each agent, then what changes and who is gone, until a signal', () =>
  withProcess(async ({ source, at }) => {
    const [status] = source.agents()
    assert.ok(status !== undefined)
    let looks = 0
    let end = (_signal: 'SIGINT'): void => {}
    source.agents = () => {
      looks += 1
      if (looks >= 4) end('SIGINT')
      if (looks >= 3) return []
      return [{ ...status, epoch: looks }]
    }
    const ran = await run(['agents', '--watch', '-o', 'json', ...at], {
      onSignal: (listener) => {
        end = listener
        return () => {}
      },
    })
    const lines = ran.out.trim().split('\n')
    assert.equal(ran.status, 0)
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ epoch = null, gone = false }) => [epoch, gone]),
      [
        [1, false],
        [2, false],
        [null, true],
      ],
    )
  }))
