import { createHash } from 'node:crypto'
import { anthropicSdk } from '../clients/anthropic.ts'
import type { Sdk } from '../clients/contract.ts'
import { geminiSdk } from '../clients/gemini.ts'
import { responsesSdk } from '../clients/responses.ts'
import { claim, count, table, title } from '../say.ts'
import type { Stage } from '../stage.ts'
import type { Refusal, Scene } from './contract.ts'
import { mcpScenes } from './mcp.ts'

/** All but the one of the scenes before. */
const OTHER_SDKS: readonly Sdk[] = [responsesSdk, anthropicSdk, geminiSdk]

const REFUSED: readonly Refusal[] = ['default/marketing Deny INTENT_SQL_DDL', 'default/marketing Deny INTENT_SQL_WRITE']

/** The three scenes before through the other official SDKs, that of MCP last, in one table. */
export const otherSdks: Scene = async (stage) => {
  title('The same through the other official SDKs')
  const rows: (readonly string[])[] = []
  for (const sdk of OTHER_SDKS)
    rows.push([sdk.name, await untouched(stage, sdk), await led(stage, sdk), await parallel(stage, sdk)])
  rows.push(await mcpScenes(stage))
  table(['SDK', '(a) same bytes', '(b) refused', '(c) two of three run'], rows)
  console.log()
  return rows.flatMap(() => REFUSED)
}

async function bytesOf(
  url: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<Buffer> {
  const signal = AbortSignal.timeout(20_000)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal,
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${bytes.toString().slice(0, 300)}`)
  return bytes
}

async function untouched(stage: Stage, sdk: Sdk): Promise<string> {
  const question = 'Which subject line should we test?'
  const own = sdk.raw(question, stage.providerKey)
  const direct = await bytesOf(`${stage.providerOf(sdk.facade)}${own.path}`, own)
  const asked = sdk.raw(question, stage.sallyport.tokenOf('marketing'))
  const through = await bytesOf(`${stage.sallyport.facade}${sdk.facade}${asked.path}`, asked)
  claim(through.equals(direct), `${sdk.name}: text and an allowed call come as the provider's own bytes`, {
    direct: direct.toString().slice(-400),
    through: through.toString().slice(-400),
  })
  return `${count(through.length)} (${createHash('sha256').update(through).digest('hex').slice(0, 8)}…)`
}

async function led(stage: Stage, sdk: Sdk): Promise<string> {
  const before = await stage.tools.customers()
  const agent = newAgent(stage, sdk)
  agent.say('Refresh the customer segments, please.')
  const search = await agent.answer()
  claim((await agent.runCalls()) === 1, `${sdk.name}: the allowed search runs`, search)
  const turn = await agent.answer()
  claim(
    turn.error === null && turn.calls.length === 0 && turn.text.includes('sallyport: INTENT_SQL_DDL: '),
    `${sdk.name}: DROP TABLE inside the allowed run_sql becomes a refusal that the SDK reads`,
    turn,
  )
  agent.say('All right, go on without it.')
  const next = await agent.answer()
  const { rule, status } = stage.seen(sdk.path)
  claim(
    next.error === null && status === 200 && rule === 'go-on/after-refusal',
    `${sdk.name}: the next request of the conversation works, and the provider's history is whole`,
    { rule, status, next },
  )
  const rows = await stage.tools.customers()
  claim(before !== null && rows === before, `${sdk.name}: the table stands`, rows)
  return `${rows} rows stand`
}

async function parallel(stage: Stage, sdk: Sdk): Promise<string> {
  const ranBefore = stage.tools.ran.length
  const agent = newAgent(stage, sdk)
  agent.say('Write the weekly status, please.')
  const turn = await agent.answer()
  await agent.runCalls()
  const ran = stage.tools.ran
    .slice(ranBefore)
    .map(({ name, arguments: args }) => (args.includes('DELETE') ? 'DELETE' : name))
  claim(
    turn.error === null && ran.join() === 'search_docs,run_sql' && turn.text.includes('sallyport: INTENT_SQL_WRITE: '),
    `${sdk.name}: of three parallel calls the DELETE is refused, two run`,
    { turn, ran },
  )
  const next = await agent.answer()
  const { rule } = stage.seen(sdk.path)
  claim(next.error === null && rule === 'status/after-refusal', `${sdk.name}: the model goes on with both results`, {
    rule,
    next,
  })
  return ran.join(', ')
}

function newAgent(stage: Stage, sdk: Sdk) {
  return sdk.newAgent(`${stage.sallyport.facade}${sdk.facade}`, stage.sallyport.tokenOf('marketing'), stage.tools)
}
