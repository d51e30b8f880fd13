import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#pkg/platform/log'
import { type Identities, type IdentitySubject, newIdentities } from './identities.ts'
import { AUDIENCE, agent, type CaBench, DOMAIN, ID, withCa } from './identity.fixture.ts'
import { toolDigest } from './tool-digest.ts'

type Bench = {
  readonly ca: CaBench
  readonly identities: Identities
  subject: IdentitySubject | null
  asked: number
  fails: boolean
  /** Held back until it is called. */
  gate: Promise<void>
}

const ACTIVE: IdentitySubject = { uid: 'u', epoch: 1, generation: 1, role: 'marketing', tools: ['kb_*', 'run_sql'] }

async function withIdentities(body: (bench: Bench) => Promise<void>): Promise<void> {
  await withCa(async (ca) => {
    const bench: Bench = {
      ca,
      subject: ACTIVE,
      asked: 0,
      fails: false,
      gate: Promise.resolve(),
      identities: newIdentities({
        clock: ca.clock,
        log: silentLog,
        chance: () => 0.5,
        trustDomain: DOMAIN,
        subjectOf: () => bench.subject,
        issuer: {
          issueX509: async (ask) => {
            bench.asked += 1
            await bench.gate
            if (bench.fails) throw new Error('no signer')
            return await ca.authority.issueX509(ask)
          },
          issueJwt: async (ask) => {
            bench.asked += 1
            return await ca.authority.issueJwt(ask)
          },
        },
      }),
    }
    try {
      await body(bench)
    } finally {
      bench.identities.close()
    }
  })
}

const heldOf = async ({ identities }: Bench) => {
  const identity = await identities.get(agent)
  assert.ok(identity !== null)
  return identity
}

test('[IDN-01] an identity is made when it is first needed, once for all who wait, and then it is there without a wait', () =>
  withIdentities(async (bench) => {
    assert.equal(bench.identities.held(agent), null)
    const [first, second] = await Promise.all([heldOf(bench), heldOf(bench)])
    assert.equal(first, second)
    assert.equal(bench.identities.held(agent), first)
    assert.deepEqual([bench.asked, first.spiffeId, first.epoch], [1, ID, 1])
  }))

test('[IDN-02] who may have none gets none; what is held is worth nothing from the turn of the move on', () =>
  withIdentities(async (bench) => {
    bench.subject = null
    assert.equal(await bench.identities.get(agent), null)
    bench.subject = ACTIVE
    await heldOf(bench)
    bench.subject = { ...ACTIVE, epoch: 2 }
    assert.equal(bench.identities.held(agent), null, 'an epoch later')
    const fresh = await heldOf(bench)
    assert.equal(fresh.epoch, 2)
    bench.subject = null
    assert.equal(bench.identities.held(agent), null, 'not active')
    await assert.rejects(bench.identities.tokenFor(fresh, AUDIENCE), { code: 'STATE_UNAVAILABLE' })
    bench.subject = { ...ACTIVE, epoch: 2 }
    bench.identities.withdraw(agent)
    assert.equal(bench.identities.held(agent), null, 'withdrawn')
    await assert.rejects(bench.identities.tokenFor(fresh, AUDIENCE), { code: 'STATE_UNAVAILABLE' })
    assert.notEqual((await heldOf(bench)).key.jkt, fresh.key.jkt)
  }))

test('[IDN-02] an agent that loses its right while its certificate is being signed gets none', () =>
  withIdentities(async (bench) => {
    let open = (): void => {}
    bench.gate = new Promise((resolve) => {
      open = resolve
    })
    const asked = bench.identities.get(agent)
    bench.subject = { ...ACTIVE, epoch: 2 }
    open()
    assert.equal(await asked, null)
    assert.equal(bench.identities.held(agent), null)
  }))

test('[IDN-03] tokens: one for each audience, anew at half of their life and when the policy is another', () =>
  withIdentities(async (bench) => {
    const identity = await heldOf(bench)
    const token = async (audience = AUDIENCE) => (await bench.identities.tokenFor(identity, audience)).token
    const first = await token()
    assert.equal(await token(), first)
    assert.notEqual(await token(ID), first)
    const { sallyport, cnf } = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString())
    assert.deepEqual(sallyport, { role: 'marketing', tools: toolDigest(ACTIVE.tools), gen: 1, epoch: 1 })
    assert.deepEqual(cnf, { jkt: identity.key.jkt })
    bench.ca.clock.advanceMs(149_000)
    assert.equal(await token(), first)
    bench.ca.clock.advanceMs(2_000)
    const second = await token()
    assert.notEqual(second, first)
    bench.subject = { ...ACTIVE, generation: 2 }
    assert.notEqual(await token(), second)
  }))

test('[IDN-04] an identity is renewed at half of its life with another key; while the CA does not sign, the old one goes on to its end', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await withIdentities(async (bench) => {
    const settle = async (): Promise<void> => {
      t.mock.timers.tick(1_000)
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const first = await heldOf(bench)
    bench.ca.clock.advanceMs(140_000)
    await settle()
    assert.equal(bench.identities.held(agent), first)
    bench.ca.clock.advanceMs(11_000)
    await settle()
    const second = bench.identities.held(agent)
    assert.ok(second !== null && second !== first)
    assert.notEqual(second.key.jkt, first.key.jkt)
    bench.fails = true
    bench.ca.clock.advanceMs(299_000)
    await settle()
    assert.equal(bench.identities.held(agent), second)
    bench.ca.clock.advanceMs(2_000)
    await settle()
    assert.equal(bench.identities.held(agent), null)
    bench.fails = false
    assert.notEqual(await heldOf(bench), second)
  })
})

test('[IDN-05] what a tainted key of the CA signed is replaced at once', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await withIdentities(async (bench) => {
    const first = await heldOf(bench)
    const ask = { authority: 'X509', slot: null, by: null, reason: null } as const
    for (const verb of ['prepare', 'activate', 'taint'] as const) await bench.ca.authority.move(verb, ask)
    bench.identities.renewFrom(first.x509.slot)
    t.mock.timers.tick(1_000)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    assert.notEqual(bench.identities.held(agent)?.x509.slot, first.x509.slot)
  })
})
