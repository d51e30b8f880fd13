import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type SeenRequest, type Simulator, startSimulator } from '#pkg/planes/standalone/simulate'
import { startPeer } from '../fixtures/a2a-server.ts'
import { type Agent, newAgent } from './agent.ts'
import { type Sallyport, startSallyport } from './sallyport.ts'
import { serveTools } from './tool-server.ts'
import { openTools, type Tools } from './tools.ts'

/** Everything that the demo plays with. */
export type Stage = {
  readonly provider: Simulator
  readonly providerKey: string
  readonly sallyport: Sallyport
  /** Its data folder; whatever else is put there goes with it. */
  readonly data: string
  readonly tools: Tools
  /** Where the MCP server with the same tools is. */
  readonly toolServer: string
  /** How many requests another agent (A2A) has seen. */
  peerSeen(): number
  /** Changes a file of the policies that are in force here. Resolves once it is read. */
  edit(file: string, change: (text: string) => string): Promise<void>
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
  const policies = join(data, 'policies') // a copy: a scene changes them
  cpSync(join(root, 'docs/examples/demo'), policies, { recursive: true })
  const providerKey = `sk-demo-${randomBytes(12).toString('hex')}`
  const now = Date.now() // the clock stands, so that equal requests get equal bytes
  const provider = await startSimulator(
    { clock: { nowMs: () => now } },
    { tokenDelayMs: TOKEN_DELAY_MS, apiKey: providerKey },
  )
  const origin = provider.url.replace(/\/v1$/, '')
  const tools = await openTools() // it keeps this thread busy: nobody would hear that the process is ready
  const [toolServer, peer] = await Promise.all([serveTools(Promise.resolve(tools)), startPeer()])
  const sallyport = await startSallyport({
    command: join(root, 'sallyctl'),
    policies,
    data,
    upstream: provider.url,
    otherUpstreams: { anthropic: origin, gemini: origin },
    toolServers: { warehouse: toolServer.url },
    peers: { research: peer.url },
    providerKey,
    onSpawn: (given) => {
      kill = given
    },
  })
  const seen = (path = '/v1/chat/completions'): SeenRequest => {
    const last = provider.requests.findLast((request) => request.path.startsWith(path))
    if (last === undefined) throw new Error('the provider has seen no request yet')
    return last
  }
  return {
    provider,
    providerKey,
    sallyport,
    data,
    tools,
    toolServer: toolServer.url,
    peerSeen: () => peer.seen.length,
    edit: async (file, change) => {
      const path = join(policies, file)
      const loads = (): number => sallyport.log().split('"policies-loaded"').length
      const before = loads()
      writeFileSync(path, change(readFileSync(path, 'utf8')))
      while (loads() === before) await sleep(10) // the whole demo has its limit
    },
    seen,
    providerOf: (facade) => (facade.startsWith('/openai') ? provider.url : origin),
    agent: (name) => newAgent(sallyport.baseUrl, sallyport.tokenOf(name), tools, () => seen().tokensSent),
    async close() {
      const status = await sallyport.stop()
      await provider.close()
      await toolServer.close()
      await peer.close()
      await tools.close()
      await abandon()
      return status
    },
  }
}
