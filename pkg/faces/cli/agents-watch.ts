import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentAnswer } from '#pkg/faces/admin'
import { agentKeyOf } from '#pkg/model'
import type { Client } from './client.ts'
import { paint } from './paint.ts'
import type { Context, Globals } from './ports.ts'
import { formatOf, valueText } from './session.ts'
import { type Column, rowText } from './table.ts'

const LOOK_MS = 1_000

/**
 * Prints each agent, and again when anything of it changes, until a signal. An agent that is gone is printed once more, with
 * the state `gone`; in json as `{"namespace","name","gone":true}`.
 */
export async function watchAgents(
  { deps }: Context,
  globals: Globals,
  { client, wanted }: { readonly client: Client; readonly wanted: (agent: AgentAnswer) => boolean },
): Promise<void> {
  const ended = new AbortController()
  const stop = deps.onSignal(() => ended.abort())
  const format = formatOf(globals)
  const columns = columnsOf(paint(deps, globals))
  const show = async (row: Row): Promise<void> => {
    if (format === 'json') await deps.stdout(await valueText(row, 'json'))
    else if (format === 'yaml') await deps.stdout(`---\n${await valueText(row, 'yaml')}`)
    else await deps.stdout(rowText(columns, row))
  }
  let known: ReadonlyMap<string, AgentAnswer> = new Map()
  try {
    if (format !== 'json' && format !== 'yaml') await deps.stdout(rowText(columns, null))
    while (!ended.signal.aborted) {
      const agents = (await client.get<readonly AgentAnswer[]>('/v1/agents')).filter(wanted)
      const now = new Map(agents.map((agent) => [String(agentKeyOf(agent)), agent]))
      for (const row of changesOf(known, now)) await show(row)
      known = now
      await sleep(LOOK_MS, undefined, { signal: ended.signal }).catch(() => {})
    }
  } finally {
    stop()
  }
}

type Gone = Pick<AgentAnswer, 'namespace' | 'name'> & { readonly gone: true }
type Row = AgentAnswer | Gone

function changesOf(before: ReadonlyMap<string, AgentAnswer>, now: ReadonlyMap<string, AgentAnswer>): readonly Row[] {
  const changed = [...now].filter(([key, agent]) => JSON.stringify(before.get(key)) !== JSON.stringify(agent))
  const gone = [...before].filter(([key]) => !now.has(key))
  return [
    ...changed.map(([, agent]) => agent),
    ...gone.map(([, { namespace, name }]) => ({ namespace, name, gone: true }) as const),
  ]
}

function columnsOf(paintWord: (cell: string) => string): readonly Column<Row>[] {
  const of = (show: (agent: AgentAnswer) => string) => (row: Row) => ('gone' in row ? '-' : show(row))
  return [
    { head: 'NAMESPACE', width: 16, of: (row) => row.namespace },
    { head: 'NAME', width: 20, of: (row) => row.name },
    { head: 'STATE', width: 11, of: (row) => ('gone' in row ? 'gone' : row.state), paint: paintWord },
    { head: 'EPOCH', width: 5, right: true, of: of((agent) => String(agent.epoch)) },
    { head: 'ACKED', width: 5, right: true, of: of((agent) => `${agent.acks.received}/${agent.acks.wanted}`) },
    { head: 'REASON', of: of((agent) => agent.reason ?? '-') },
  ]
}
