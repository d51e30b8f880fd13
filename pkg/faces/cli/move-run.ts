import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { AgentAnswer, MoveAnswer, MoveVerb } from '#pkg/faces/admin'
import type { AgentKey } from '#pkg/model'
import type { Client } from './client.ts'
import { printable } from './escape.ts'
import type { CliDeps, Context, Globals } from './ports.ts'
import { agentNamed, connect, print } from './session.ts'

/** How long a verb waits for those who have to follow: the default lease of a sidecar. MESH.md §2. */
const WAIT_MS = 15_000
const LOOK_MS = 200

/** One verb as it was typed. */
export type MoveWords = {
  readonly verb: MoveVerb
  readonly name: string
  readonly globals: Globals
  /** As the admin API takes it. */
  readonly body: Readonly<Record<string, unknown>>
}

/** The agent of a verb. */
export function agentArgument(command: Command): Command {
  return command.argument('<name>', 'NAME (of namespace -n) or NAMESPACE/NAME')
}

/** Carries out one verb, waits until all have followed, and says so; status 1 where they have not, or it is not what was asked. */
export async function runMove(context: Context, { verb, name, globals, body }: MoveWords): Promise<void> {
  const key = agentNamed(name, globals)
  const client = await connect(context, globals)
  const path = `/v1/agents/${key}`
  const lifts = verb === 'release' || verb === 'reinstate'
  const seen = lifts ? await client.get<AgentAnswer>(path) : null
  const bound = seen === null ? {} : { throughEpoch: seen.epoch }
  const answer = await client.post<MoveAnswer>(`${path}/${verb}`, { ...bound, ...body })
  const acks = answer.to === null ? answer.acks : await awaitAcks(context.deps, client, key, answer)
  const done: MoveAnswer = { ...answer, acks }
  await print(context.deps, globals, done, () => `${printable(sentence(done))}\n`)
  const left = doubts(done, lifts)
  for (const doubt of left) context.deps.stderr(`sallyctl: ${printable(doubt)}\n`)
  if (lifts && done.to !== 'Active')
    context.deps.stderr(
      `sallyctl: a hold was raised meanwhile, or came later than that epoch: ${client.hint(`agents ${key}`)}\n`,
    )
  if (left.length > 0) context.exit(1)
}

function sentence({ namespace, name, from, to, epoch, changed, acks }: MoveAnswer): string {
  const who = `${namespace}/${name}`
  if (to === null) return `${who} is forgotten`
  if (!changed) return `${who} is ${from} already, epoch ${epoch}: nothing was changed`
  return `${who}: ${from} → ${to}, epoch ${epoch}, acked ${acks.received} of ${acks.wanted}`
}

/** Never success on a partial stop. */
function doubts({ acks, durable, to }: MoveAnswer, lifts: boolean): readonly string[] {
  return [
    ...(acks.received < acks.wanted ? [`only ${acks.received} of ${acks.wanted} have followed`] : []),
    ...(durable
      ? []
      : ['it is in force, but could not be written down: a restart would lose it; make room on the disk']),
    ...(lifts && to !== 'Active' ? [`the agent stays ${to}`] : []),
  ]
}

async function awaitAcks(
  deps: CliDeps,
  client: Client,
  key: AgentKey,
  answer: MoveAnswer,
): Promise<MoveAnswer['acks']> {
  let { acks } = answer
  const shows = deps.isTerminal === true && acks.received < acks.wanted
  for (let waited = 0; acks.received < acks.wanted && waited < WAIT_MS; waited += LOOK_MS) {
    if (shows) deps.stderr(`\rwaiting: acked ${acks.received} of ${acks.wanted}, ${Math.floor(waited / 1_000)} s`)
    await sleep(LOOK_MS)
    acks = (await client.get<AgentAnswer>(`/v1/agents/${key}`)).acks
  }
  if (shows) deps.stderr('\r\u001b[K')
  return acks
}
