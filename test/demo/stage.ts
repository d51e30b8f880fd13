import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type SeenRequest, type Simulator, startSimulator } from '#pkg/planes/standalone/simulate'
import { type Agent, newAgent } from './agent.ts'
import { type Sallyport, startSallyport } from './sallyport.ts'
import { serveTools } from './tool-server.ts'
import { openTools, type Tools } from './tools.ts'

/** Everything that the demo plays with. */
export type Stage = {
  readonly provider: Simulator
  readonly providerKey: string
  readonly sallyport: Sallyport
  readonly tools: Tools
  /** Where the MCP server with the same tools is. */
  readonly toolServer: string
  /** An agent whose SDK talks to Sallyport with that agent's token. */
  agent(name: string): Agent
  /** The newest request below that path that the provider saw; by default of Chat. */
  seen(path?: string): SeenRequest
  /** What one would give an SDK whose facade this is, without Sallyport. */
  providerOf(facade: string): string
  /** Takes everything down, in order. Exit status of `sallyctl up`. */
  close(): Promise<number | null>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Pause between two tokens of the provider: about the pace of a fast model. */
const TOKEN_DELAY_MS = 5

/** Takes down what would outlive this process, at once. Safe at any time, and twice. Resolves when all is gone. */
export type Abandon = () => Promise<void>

/** Sets the stage: a provider, a database, and a real `sallyctl up`. `onAbandon` gets its way out before anything starts. */
export async function setStage(onAbandon: (abandon: Abandon) => void): Promise<Stage> {
  const data = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  let kill = async (): Promise<void> => {}
  const remove = () => rmSync(data, { recursive: true, force: true })
  const abandon: Abandon = () => {
    const killed = kill()
    remove() // for an exit that cannot wait
    return killed.then(remove)
  }
  onAbandon(abandon)
  const providerKey = `sk-demo-${randomBytes(12).toString('hex')}`
  const now = Date.now() // the clock stands, so that equal requests get equal bytes
  const provider = await startSimulator(
    { clock: { nowMs: () => now } },
    { tokenDelayMs: TOKEN_DELAY_MS, apiKey: providerKey },
  )
  const origin = provider.url.replace(/\/v1$/, '')
  const opening = openTools()
  opening.catch(() => {}) // awaited below; a failure of Sallyport comes first
  const toolServer = await serveTools(opening)
  const sallyport = await startSallyport({
    command: join(root, 'sallyctl'),
    policies: join(root, 'docs/examples/demo'),
    data,
    upstream: provider.url,
    otherUpstreams: { anthropic: origin, gemini: origin },
    toolServers: { warehouse: toolServer.url },
    providerKey,
    onSpawn: (given) => {
      kill = given
    },
  })
  const tools = await opening
  const seen = (path = '/v1/chat/completions'): SeenRequest => {
    const last = provider.requests.findLast((request) => request.path.startsWith(path))
    if (last === undefined) throw new Error('the provider has seen no request yet')
    return last
  }
  return {
    provider,
    providerKey,
    sallyport,
    tools,
    toolServer: toolServer.url,
    seen,
    providerOf: (facade) => (facade.startsWith('/openai') ? provider.url : origin),
    agent: (name) => newAgent(sallyport.baseUrl, sallyport.tokenOf(name), tools, () => seen().tokensSent),
    async close() {
      const status = await sallyport.stop()
      await provider.close()
      await toolServer.close()
      await tools.close()
      await abandon()
      return status
    },
  }
}
