/** Any story of a life, by commands in any order, beside a model that knows only the promises. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LifecycleState, NewAuditEvent } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { silentLog } from '#pkg/platform/log'
import { type CeilingState, type Lifecycle, moveOf, openLifecycle, type Verb } from './index.ts'
import { active, clock, ddl, inFolder, marketing, newSink, verb } from './lifecycle.fixture.ts'

/** What was promised so far. */
type Model = {
  epoch: number
  terminated: boolean
  /** The epoch that a person saw, who may act on it much later. */
  seen: number
  /** Epochs of holds that no release can have covered. */
  holds: number[]
}

/** The lives, which a restart opens anew, with the file that is there. */
type Real = {
  life: Lifecycle
  file: ReturnType<typeof active> | null
  readonly dataDir: string
  readonly sink: ReturnType<typeof newSink>
}
type Step = fc.Command<Model, Real>

const stateOf = (real: Real): LifecycleState | null => real.life.standingOf(marketing)?.state ?? null

/** Runs one step and holds the world to the model. */
function step(name: string, run: (model: Model, real: Real) => void): Step {
  return {
    check: () => true,
    toString: () => name,
    run: (model, real) => {
      const before = stateOf(real)
      const events = real.sink.events.length
      run(model, real)
      const standing = real.life.standingOf(marketing)
      for (const event of real.sink.events.slice(events)) lookAt(event, model, name)
      if (standing === null) return
      assert.ok(standing.epoch >= model.epoch, `${name}: the epoch fell from ${model.epoch} to ${standing.epoch}`)
      if (before === 'Active' && standing.state !== 'Active') assert.ok(standing.epoch > model.epoch, name)
      model.epoch = standing.epoch
      if (model.terminated) assert.equal(standing.state, 'Terminated', name)
      model.terminated = standing.state === 'Terminated'
      for (const epoch of model.holds)
        assert.ok(
          standing.holds.some((hold) => hold.epoch === epoch),
          `${name}: the hold of epoch ${epoch} is gone`,
        )
    },
  }
}

/** Every move that is told is one of the table; a release may find that another hold is left. */
function lookAt(event: NewAuditEvent, model: Model, name: string): void {
  assert.ok(event.kind === 'move')
  if (event.from === null || event.reason === 'file removed') return
  const answer = moveOf(event.from, { to: event.to, force: true, reason: 'x' })
  const isRest = event.from === 'Suspended' && event.to === 'Quarantined'
  const isForgotten = name === 'forget' && event.from === 'Terminated'
  assert.ok(answer.kind !== 'refused' || isRest || isForgotten, `${name}: ${event.from} → ${event.to}`)
  assert.ok(event.epoch >= model.epoch, name)
}

/** A verb may be refused: then nothing has changed. */
function ask(real: Real, name: Verb, more: object = {}): boolean {
  const before = JSON.stringify(real.life.standingOf(marketing))
  try {
    return real.life.move(marketing, verb(name, more)).changed
  } catch (error) {
    assert.ok(error instanceof SallyportError && error.code !== 'STATE_UNAVAILABLE', String(error))
    assert.equal(JSON.stringify(real.life.standingOf(marketing)), before, name)
    return false
  }
}

function raised(model: Model, real: Real, was: number): void {
  const standing = real.life.standingOf(marketing)
  const newest = standing?.holds.at(-1)
  if (newest !== undefined && newest.epoch > was) model.holds.push(newest.epoch)
}

const holding = fc.constantFrom<Verb>('quarantine', 'suspend', 'terminate').chain((name) =>
  fc.boolean().map((force) =>
    step(`${name}${force ? ' --force' : ''}`, (model, real) => {
      const was = model.epoch
      if (ask(real, name, { force })) raised(model, real, was)
    }),
  ),
)

const lifting = fc.constantFrom<Verb>('release', 'reinstate').map((name) =>
  step(name, (model, real) => {
    const through = Math.min(model.seen, model.epoch)
    if (ask(real, name, { throughEpoch: through })) model.holds = model.holds.filter((epoch) => epoch > through)
  }),
)

const forget = fc.constant(
  step('forget', (model, real) => {
    if (!ask(real, 'forget')) return
    model.terminated = false
    model.holds = []
  }),
)

const look = fc.constant(
  step('look', (model) => {
    model.seen = model.epoch
  }),
)

const sever = fc.constant(
  step('sever', (model, real) => {
    const was = model.epoch
    real.life.sever(marketing, ddl)
    raised(model, real, was)
  }),
)

const states: readonly CeilingState[] = ['Active', 'Quarantined', 'Suspended', 'Terminated']

const file = fc
  .record({
    state: fc.constantFrom(...states),
    force: fc.boolean(),
    activation: fc.constantFrom('Automatic' as const, 'Manual' as const),
    releaseThroughEpoch: fc.nat({ max: 6 }),
  })
  .map((given) =>
    step(`file ${JSON.stringify(given)}`, (model, real) => {
      real.file = { ...active(), ...given, reason: 'by file' }
      real.life.apply([real.file])
      // the number in a file is a release, too, and what it once covered counts again when it is taken back
      const standing = real.life.standingOf(marketing)
      model.holds = model.holds.filter((epoch) => standing?.holds.some((hold) => hold.epoch === epoch) === true)
    }),
  )

const gone = fc.constant(
  step('gone', (_, real) => {
    real.file = null
    real.life.apply([])
  }),
)

const restart = fc.constant(
  step('restart', (_, real) => {
    const before = real.life.standingOf(marketing)
    real.life.close()
    real.life = open(real)
    real.life.apply(real.file === null ? [] : [real.file])
    assert.deepEqual(real.life.standingOf(marketing), before)
  }),
)

function open({ dataDir, sink }: Pick<Real, 'dataDir' | 'sink'>): Lifecycle {
  return openLifecycle({ clock, log: silentLog, audit: sink }, { dataDir })
}

test('[LIFE-15] in any story: no way out of Terminated but to forget it, no epoch falls, what came meanwhile survives a release', () =>
  fc.assert(
    fc.asyncProperty(
      fc.commands([holding, holding, lifting, lifting, forget, look, look, sever, file, gone, restart], {
        maxCommands: 24,
      }),
      (steps) =>
        inFolder((dataDir) => {
          const sink = newSink()
          const real: Real = { life: open({ dataDir, sink }), file: active(), dataDir, sink }
          real.life.apply([active()])
          try {
            fc.modelRun(() => ({ model: { epoch: 1, terminated: false, seen: 1, holds: [] }, real }), steps)
          } finally {
            real.life.close()
          }
        }),
    ),
    { numRuns: 200 },
  ))
