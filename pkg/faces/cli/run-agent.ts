import type { AgentAnswer, FacadeAnswer } from '#pkg/faces/admin'
import { type AgentKey, agentKeyOf, type VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { systemClock } from '#pkg/platform/clock'
import { newLog } from '#pkg/platform/log'
import { shellWord } from './called-as.ts'
import { childEnv } from './child-env.ts'
import type { Client } from './client.ts'
import { jsonText, printable } from './escape.ts'
import { humanSink } from './human-log.ts'
import type { CliDeps, Context, RunOptions } from './ports.ts'
import { startProgress } from './progress.ts'
import { readUpSettings } from './read-up-settings.ts'
import { runChild } from './run-child.ts'
import { summaryText, Tally } from './run-summary.ts'
import { agentNamed, connect, folderLeftBy } from './session.ts'
import { startUp } from './up-start.ts'

/** How long exchanges that the program has left open may go on. */
const DRAIN_MS = 1_000
const LISTED_AGENTS = 5

/** The process that a program runs through. */
type Through = {
  readonly facade: string
  readonly agents: readonly AgentAnswer[]
  /** The verdicts of one agent since then, oldest first. */
  verdicts(agent: AgentKey, sinceMs: number, take: (record: VerdictRecord) => void): Promise<void>
  close(): Promise<void>
}

/** Runs the program, says what was judged, and ends with the program's status. */
export async function runAgent(context: Context, options: RunOptions, words: readonly string[]): Promise<void> {
  const { deps } = context
  if (options.address !== undefined)
    throw new SallyportError('USAGE', '--address: "run" needs the socket of a data folder, which alone shows tokens')
  const client = await connect(context, options)
  const through = (await running(client, options, words)) ?? (await ownProcess(context, options))
  try {
    const agent = chosen(through.agents, options)
    const key = agentKeyOf(agent)
    if (agent.state !== 'Active')
      deps.stderr(
        `warning: ${key} is ${agent.state}: all that it asks for is refused (${printable(agent.reason ?? '')})\n`,
      )
    const sinceMs = systemClock.nowMs()
    const exit = await runChild(deps, words, childEnv(await deps.env(), through.facade, agent.token ?? ''))
    const tally = new Tally()
    try {
      await through.verdicts(key, sinceMs, (record) => tally.add(record))
      const summary = tally.summary(key, exit)
      const hint = client.hint(`verdicts --agent ${key}`)
      deps.stderr(options.output === 'json' ? `${jsonText(summary)}\n` : summaryText(summary, hint))
    } catch (error) {
      sayNoSummary(deps, error)
    }
    context.exit(exit)
  } finally {
    await through.close()
  }
}

/** The process that runs on the data folder, or null. */
async function running(client: Client, options: RunOptions, words: readonly string[]): Promise<Through | null> {
  try {
    const { facade } = await client.get<FacadeAnswer>('/v1/facade')
    if (options.policies !== undefined || options.upstream !== undefined || options.simulate !== undefined)
      throw new SallyportError(
        'USAGE',
        `a sallyport runs on this data folder, with settings of its own; go through it: "${again(client, options, words)}", or choose another --data`,
      )
    return {
      facade,
      agents: await client.get<readonly AgentAnswer[]>('/v1/agents'),
      verdicts: (agent, sinceMs, take) => {
        const query = new URLSearchParams({ agent, since: new Date(sinceMs).toISOString() })
        return client.lines<VerdictRecord>(`/v1/verdicts?${query}`, async (record) => take(record))
      },
      close: async () => {},
    }
  } catch (error) {
    if (folderLeftBy(error, client) === null) throw error
    return null
  }
}

/** The same command without what is only of a process of its own. */
function again(client: Client, { agent, namespace }: RunOptions, words: readonly string[]): string {
  const options = [
    ...(namespace === undefined ? [] : ['-n', namespace]),
    ...(agent === undefined ? [] : ['--agent', agent]),
  ]
  return `${client.hint(['run', ...options.map(shellWord)].join(' '))} -- ${words.map(shellWord).join(' ')}`
}

/** Both listeners on free ports in this process; its log lines are warnings only, unless `-v` asks for all. */
async function ownProcess({ deps }: Context, options: RunOptions): Promise<Through> {
  const { agent: _agent, namespace: _namespace, output: _output, ...upOptions } = options
  const settings = await readUpSettings(deps, { ...upOptions, port: '0', adminPort: '0' })
  const progress = startProgress(deps, options, 'starting a sallyport')
  const log = newLog({ level: options.verbose === true ? 'debug' : 'warn', write: humanSink(process.stderr) })
  const started = await startUp(deps.version, settings, log).finally(() => progress.stop())
  for (const path of started.made) deps.stderr(`made ${printable(path)}\n`)
  const { standalone } = started
  for (const { code, message } of standalone.warnings()) deps.stderr(`warning: ${code}: ${printable(message)}\n`)
  return {
    facade: standalone.facade,
    agents: standalone.agents().map((one) => ({ ...one, token: standalone.tokenOf(agentKeyOf(one)) })),
    verdicts: async (agent, sinceMs, take) => {
      for await (const record of standalone.verdicts.read({ agent, sinceMs })) take(record)
    },
    close: () => started.close(DRAIN_MS),
  }
}

function chosen(agents: readonly AgentAnswer[], options: RunOptions): AgentAnswer {
  const wanted = options.agent === undefined ? null : agentNamed(options.agent, options)
  const fitting = agents.filter((one) => wanted === null || agentKeyOf(one) === wanted)
  const [only] = fitting
  if (only !== undefined && fitting.length === 1) return only
  const known = agents.slice(0, LISTED_AGENTS).map(agentKeyOf).join(', ')
  const list = `${known || 'none'}${agents.length > LISTED_AGENTS ? ', …' : ''}`
  if (wanted !== null) throw new SallyportError('ADMIN_NOT_FOUND', `no agent "${wanted}" is known; known: ${list}`)
  throw new SallyportError('USAGE', `say which agent it is, with --agent NAME; known: ${list}`)
}

/** What the program did is done: that it cannot be told changes nothing of its status. */
function sayNoSummary(deps: CliDeps, error: unknown): void {
  const why = error instanceof Error ? error.message : 'unknown fault'
  deps.stderr(`sallyctl: the verdicts cannot be told: ${printable(why)}\n`)
}
