import { setTimeout as sleep } from 'node:timers/promises'
import { fetchRaw } from '../bytes.ts'
import { chatSdk } from '../clients/chat.ts'
import { HAIKU } from '../clients/contract.ts'
import { must } from '../say.ts'
import type { Stage } from '../stage.ts'
import type { Refusal } from './contract.ts'

/** Between two attempts of one that is refused. */
const KNOCK_MS = 50

/**
 * Asks as that agent until something comes back: wall time of the first byte, and how those were refused who asked too
 * early. Anything else than a refusal of its state fails.
 */
export async function firstByte(
  stage: Stage,
  agent: string,
): Promise<{ readonly byteMs: number; readonly early: readonly Refusal[] }> {
  const { path, headers, body } = chatSdk.raw(HAIKU, stage.sallyport.tokenOf(agent))
  const early: Refusal[] = []
  for (;;) {
    const response = await fetch(`${stage.sallyport.baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(20_000),
    })
    if (response.status === 200) {
      const reader = response.body?.getReader()
      await reader?.read()
      const byteMs = Date.now()
      while ((await reader?.read())?.done === false) {} // to its end: nothing is left open
      return { byteMs, early }
    }
    const text = await response.text()
    const code = /sallyport: (IDENTITY_AGENT_[A-Z]+): /.exec(text)?.[1]
    must(code !== undefined, 'who asks too early is refused for the state of the agent', text)
    early.push(`default/${agent} Deny ${code}`)
    await sleep(KNOCK_MS)
  }
}

/** When the log says that the fresh key of that epoch was there: wall time. */
export async function thawedMs({ sallyport }: Stage, agent: string, epoch: number): Promise<number> {
  for (let look = 0; look < 200; look += 1) {
    for (const line of sallyport.log().split('\n')) {
      if (!line.includes('"agent-thawed"') || !line.endsWith('}')) continue
      const event = JSON.parse(line) as { readonly time: string; readonly agent: string; readonly epoch: number } // our own log
      if (event.agent === `default/${agent}` && event.epoch === epoch) return Date.parse(event.time)
    }
    await sleep(10)
  }
  return Number.POSITIVE_INFINITY
}

/** Reads one stream after the other as another agent, and compares each with the provider's own. */
export function keepReading(stage: Stage, agent: string): { stop(): Promise<void> } {
  const key = stage.sallyport.tokenOf(agent)
  let stopped = false
  const read = async (): Promise<void> => {
    const { body } = chatSdk.raw(HAIKU, key)
    const probe = (): number => 0
    const direct = await fetchRaw({ baseUrl: stage.provider.url, key: stage.providerKey, probe }, body)
    while (!stopped) {
      const through = await fetchRaw({ baseUrl: stage.sallyport.baseUrl, key, probe }, body)
      must(through.bytes.equals(direct.bytes), `a stream of ${agent} comes as the provider's own bytes`, {
        direct: direct.bytes.toString().slice(-300),
        through: through.bytes.toString().slice(-300),
      })
    }
  }
  const reading = read()
  reading.catch(() => {}) // `stop` tells
  return {
    stop: async () => {
      stopped = true
      await reading
    },
  }
}
