import type { Door } from '../clients/doors.ts'
import { doorsOf } from '../clients/doors.ts'
import { claim, must, quote, table, title } from '../say.ts'
import type { Stage } from '../stage.ts'
import type { Refusal, Scene } from './contract.ts'
import { firstByte, keepReading, thawedMs } from './released.ts'

const AGENT = 'marketing-sever'
const OTHER = 'marketing'
const OUT = 'IDENTITY_AGENT_QUARANTINED'
const WHY = 'the document is gone'

/** As `sallyctl identity show -o json` lists it. */
type Identity = { readonly name: string; readonly epoch: number; readonly serial: string }

/** Out, and back: what was seen, one row of the table. */
type Round = {
  readonly door: Door
  /** What its client was told in the place of the DROP TABLE. */
  readonly dropped: string | null
  /** What each client was told next, and how many requests came through all the same. */
  readonly next: readonly (string | null)[]
  readonly through: number
  readonly before: Identity
  readonly after: Identity
  /** Of the other agent. */
  readonly others: Identity
  /** Of the agent, as the release says it. */
  readonly epoch: number
  /** When the fresh key was there, and the first byte: wall time. */
  readonly keyMs: number
  readonly byteMs: number
  /** Of those who asked too early. */
  readonly early: readonly Refusal[]
}

/** (d) Led to DROP TABLE under Sever, by each official client that has tools: out on every dialect until a person releases it. */
export const severed: Scene = async (stage) => {
  title('(d) DROP TABLE under Sever: the agent is out until a person releases it')
  const doors = doorsOf(stage, AGENT)
  const told = await Promise.all(doors.map((door) => door.ask()))
  must(
    told.every((each) => each === null),
    'every client works before',
    told,
  )
  const [rows, first] = [await stage.tools.customers(), await identitiesOf(stage)]
  const rounds: Round[] = []
  for (const door of doors) {
    if (door.drop === undefined) continue
    const before: Identity = rounds.at(-1)?.after ?? first.own
    rounds.push(await playRound(stage, { doors, door, before }))
  }
  claimOut(rounds, { before: rows, now: await stage.tools.customers() })
  claim(
    rounds.every(({ others }) => others.serial === first.others.serial),
    `another agent went on all the while: each stream the provider's own bytes, its SVID the same`,
    { first, others: rounds.map(({ others }) => others) },
  )
  const denied = claimBack(rounds, await doors.find((door) => door.select !== undefined)?.select?.())
  table(['led through', 'refused', 'epoch', 'serial', 'key → byte', 'rows'], rounds.map(rowOf(rows)))
  console.log()
  return [...rounds.flatMap(refusalsOf), ...denied]
}

async function playRound(
  stage: Stage,
  { doors, door, before }: { readonly doors: readonly Door[]; readonly door: Door; readonly before: Identity },
): Promise<Round> {
  const reading = keepReading(stage, OTHER)
  const dropped = (await door.drop?.()) ?? null
  await reading.stop()
  const seen = seenBehind(stage)
  const next = await Promise.all(doors.map((each) => each.ask()))
  const through = seenBehind(stage) - seen
  if (door.select !== undefined) await stage.edit(`${AGENT}.yaml`, withoutSql) // the last one
  const [released, { byteMs, early }] = await Promise.all([
    stage.sallyport.ask<{ readonly to: string; readonly epoch: number }>('release', AGENT, '--reason', WHY),
    firstByte(stage, AGENT),
  ])
  const { own: after, others } = await identitiesOf(stage)
  const { epoch } = released
  const keyMs = await thawedMs(stage, AGENT, epoch)
  return { door, dropped, next, through, before, after, others, epoch, keyMs, byteMs, early }
}

/** What a person takes away before the release. */
function withoutSql(policy: string): string {
  return policy.replace('  tools:\n', '  tools:\n    deny: [{ name: run_sql }]\n')
}

/** Requests that the provider, the tool server's database and the other agent have seen. */
function seenBehind({ provider, tools, peerSeen }: Stage): number {
  return provider.requests.length + tools.ran.length + peerSeen()
}

/** What both agents hold just now. */
async function identitiesOf({ sallyport }: Stage): Promise<{ readonly own: Identity; readonly others: Identity }> {
  const held = await sallyport.ask<readonly Identity[]>('identity', 'show')
  const [own, others] = [AGENT, OTHER].map((name) => held.find((each) => each.name === name))
  must(own !== undefined && others !== undefined, `${AGENT} and ${OTHER} hold SVIDs`, held)
  return { own, others }
}

function claimOut(
  rounds: readonly Round[],
  rows: { readonly before: number | null; readonly now: number | null },
): void {
  const [first] = rounds
  claim(
    rounds.every(({ dropped }) => dropped?.includes('sallyport: INTENT_SQL_DDL: ') === true),
    `led through ${rounds.length} official clients, one after the other, to DROP TABLE: each time the stream ended with INTENT_SQL_DDL`,
    rounds.map(({ dropped }) => dropped),
  )
  claim(
    rounds.every(({ next, through }) => through === 0 && next.every((told) => told?.includes(`sallyport: ${OUT}: `))),
    `and the agent was quarantined: its next call was refused on all ${first?.next.length} dialects, and nobody behind saw one`,
    rounds.map(({ next, through }) => ({ next, through })),
  )
  claim(rows.before !== null && rows.now === rows.before, `the table stands: ${rows.now} customers`, rows)
}

/** The last release came with a new policy. Gives back what that refused. */
function claimBack(rounds: readonly Round[], select: string | null | undefined): readonly Refusal[] {
  quote('operator', `sallyctl release ${AGENT} --reason "${WHY}"`)
  const seen = rounds.map(({ before, after, epoch, keyMs, byteMs }) => ({ before, after, epoch, keyMs, byteMs }))
  claim(
    seen.every(({ before, after, epoch }) => after.serial !== before.serial && after.epoch === epoch) &&
      seen.every(({ before, epoch }) => epoch === before.epoch + 1),
    'each release made a fresh key: another serial, and its epoch is that of the agent (sallyctl identity show)',
    seen,
  )
  claim(
    seen.every(({ keyMs, byteMs }) => keyMs <= byteMs),
    'whoever asked meanwhile was refused, or waited: no first byte came before that key',
    seen,
  )
  claim(
    select?.startsWith('sallyport: TOOL_DENIED: ') === true,
    'a person denied run_sql before the last release: the first SELECT after it was refused by the new policy',
    select,
  )
  return [`default/${AGENT} Deny TOOL_DENIED`]
}

function refusalsOf({ next, early }: Round): readonly Refusal[] {
  return [`default/${AGENT} Sever INTENT_SQL_DDL`, ...next.map(() => `default/${AGENT} Deny ${OUT}`), ...early]
}

const rowOf =
  (rows: number | null) =>
  ({ door, next, before, after, keyMs, byteMs }: Round): readonly string[] => [
    door.name,
    `${next.filter((told) => told !== null).length} of ${next.length}`,
    `${before.epoch} → ${after.epoch}`,
    `${before.serial.slice(0, 5)}… → ${after.serial.slice(0, 5)}…`,
    `+${byteMs - keyMs} ms`,
    `${rows} stand`,
  ]
