import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSallyport, type VerdictLine } from '../demo/sallyport.ts'
import { freePort, listening, nginxArguments } from './nginx.ts'
import { end, endAtExit, pinnedTo, SYSTEM_CORE, start, startOwn } from './processes.ts'
import { policyFile } from './workload.ts'

/** One of the four. */
export type SystemName = 'direct' | 'nginx' | 'node' | 'sallyport'

/** A system that stands between load and mock. */
export type System = {
  readonly name: SystemName
  /** Where a path of a provider, or of the tool server, is asked; `facade` is what Sallyport has before it. */
  urlOf(facade: string, path: string): string
  readonly key: string
  /** Its first process, or null for direct. */
  readonly pid: number | null
  /** Time of each judged call so far, µs, by dialect; null for a system that judges nothing. */
  verdictMicros: (() => Promise<ReadonlyMap<string, readonly number[]>>) | null
  stop(): Promise<void>
}

/** What a start needs. `home` is a folder of the bench's own that is removed at the end. */
export type Place = { readonly home: string; readonly mockPort: number; readonly nginx: string | null }

const KEY = 'sk-bench'
const sallyctl = fileURLToPath(new URL('../../sallyctl', import.meta.url))

/** How each system starts. Resolves when it listens. */
export const STARTS: Readonly<Record<SystemName, (place: Place) => Promise<System>>> = {
  direct: async ({ mockPort }) => ({
    name: 'direct',
    urlOf: (_facade, path) => `http://127.0.0.1:${mockPort}${path}`,
    key: KEY,
    pid: null,
    verdictMicros: null,
    stop: async () => {},
  }),

  node: async ({ mockPort }) => {
    const { child, port } = await startOwn(SYSTEM_CORE, 'node-proxy.ts', [String(mockPort)])
    return plain('node', child, port)
  },

  nginx: async ({ home, mockPort, nginx }) => {
    if (nginx === null) throw new Error('there is no nginx')
    const prefix = mkdtempSync(join(home, 'nginx-'))
    const port = await freePort()
    const child = start(SYSTEM_CORE, [nginx, ...nginxArguments(prefix, port, mockPort)])
    await listening(port)
    return plain('nginx', child, port)
  },

  sallyport: async ({ home, mockPort }) => {
    const own = mkdtempSync(join(home, 'sallyport-'))
    mkdirSync(join(own, 'policies'))
    writeFileSync(join(own, 'policies/bench.yaml'), policyFile(mockPort))
    const running = await startSallyport({
      command: sallyctl,
      policies: join(own, 'policies'),
      data: join(own, 'data'),
      upstream: `http://127.0.0.1:${mockPort}/v1`,
      otherUpstreams: { anthropic: `http://127.0.0.1:${mockPort}`, gemini: `http://127.0.0.1:${mockPort}` },
      providerKey: KEY,
      wrapper: pinnedTo(SYSTEM_CORE),
      logFile: join(own, 'log'),
      onSpawn: endAtExit,
    })
    return {
      name: 'sallyport',
      // a tool server's name stands in the place of its path
      urlOf: (facade, path) => `${running.facade}${facade}${facade.startsWith('/mcp') ? '' : path}`,
      key: running.tokenOf('bench'),
      pid: running.pid,
      verdictMicros: async () => microsByDialect(await running.verdicts()),
      stop: async () => void (await running.stop()),
    }
  },
}

function microsByDialect(lines: readonly VerdictLine[]): ReadonlyMap<string, readonly number[]> {
  const micros = new Map<string, number[]>()
  for (const line of lines.filter(isAllowedCall)) {
    const own = micros.get(line.dialect) ?? []
    own.push(line.us)
    micros.set(line.dialect, own)
  }
  return micros
}

function isAllowedCall(line: VerdictLine): boolean {
  if ((line.tool !== 'run_sql' && line.tool !== 'tool_0') || line.action !== 'Allow')
    throw new Error(
      `sallyport judged a call of the bench ${line.action} ${line.reasons.join(' ')}: its figures would mean nothing`,
    )
  return true
}

function plain(name: SystemName, child: ReturnType<typeof start>, port: number): System {
  return {
    name,
    urlOf: (_facade, path) => `http://127.0.0.1:${port}${path}`,
    key: KEY,
    pid: child.pid ?? null,
    verdictMicros: null,
    stop: () => end(child),
  }
}
