/** What has to hold of the lives of the victims, whatever dies in between: a move that was answered stands. */

import type { Ready } from '../fixtures/sallyctl.ts'
import type { Random } from '../fuzz/runner/random.ts'
import { askOnce, type Told } from './traffic.ts'

/** Doubt: the process died before it could answer. */
type Standing = 'Active' | 'Quarantined' | 'Doubt'

const NAMESPACE = 'crash'
const HELD = 'IDENTITY_AGENT_QUARANTINED'
/** Severed: its own stream says so. */
const SEVERED = 'sallyport: INTENT_SQL_WRITE: '

export class Lives {
  readonly #standing: Map<string, Standing>
  /** Holds that were seen again after a kill. */
  held = 0

  constructor(names: readonly string[]) {
    this.#standing = new Map(names.map((name) => [name, 'Active']))
  }

  /** After a start: throws where something that was answered does not hold; settles what was in doubt. */
  async check(told: Told, ready: Ready, random: Random): Promise<void> {
    const agents = (await admin(ready, 'GET', '/v1/agents')) as readonly {
      readonly name: string
      readonly state: string
    }[] // our own API
    for (const { name, state } of agents) {
      const wanted = this.#standing.get(name)
      if (wanted === undefined) continue
      if (wanted !== 'Doubt' && wanted !== state)
        throw new Error(`${name} was ${wanted} before the kill, and is ${state}`)
      if (wanted === 'Quarantined') this.held += 1
      this.#standing.set(name, state === 'Quarantined' ? 'Quarantined' : 'Active')
    }
    const one = random.pick(this.#in('Quarantined'))
    if (one === undefined) return
    const { text } = await askOnce(told, askingOf(ready, one), { random, question: 'words' })
    if (!text.includes(HELD)) throw new Error(`${one} is quarantined, and was answered: ${text.slice(0, 300)}`)
  }

  /** Takes one after the other out, by the firewall or by a verb, and gives some back, until the process is gone. */
  async work(told: Told, ready: Ready, random: Random): Promise<void> {
    for (;;) {
      const [active, held] = [this.#in('Active'), this.#in('Quarantined')]
      const takes = held.length === 0 || (active.length > 0 && random.below(3) > 0)
      const name = random.pick(takes ? active : held)
      if (name === undefined) return
      this.#standing.set(name, 'Doubt')
      const now = takes ? await this.#take(told, { ready, name, random }) : await this.#verb(ready, name, 'release')
      this.#standing.set(name, now)
      if (now === 'Doubt') return
    }
  }

  async #take(
    told: Told,
    { ready, name, random }: { readonly ready: Ready; readonly name: string; readonly random: Random },
  ): Promise<Standing> {
    if (random.below(2) === 0) return await this.#verb(ready, name, 'quarantine')
    const { text } = await askOnce(told, askingOf(ready, name), { random, question: 'calls' })
    return text.includes(SEVERED) ? 'Quarantined' : 'Doubt'
  }

  async #verb(ready: Ready, name: string, verb: 'quarantine' | 'release'): Promise<Standing> {
    try {
      const path = `/v1/agents/${NAMESPACE}/${name}/${verb}`
      const { to, durable } = (await admin(ready, 'POST', path)) as { readonly to: string; readonly durable: boolean } // our own API
      if (!durable) throw new Error(`${verb} of ${name} is not durable`)
      return to === 'Quarantined' ? 'Quarantined' : 'Active'
    } catch (error) {
      if (error instanceof TypeError) return 'Doubt' // no connection: it died
      throw error
    }
  }

  #in(standing: Standing): readonly string[] {
    return [...this.#standing].filter(([, now]) => now === standing).map(([name]) => name)
  }
}

/** How an agent asks. */
export function askingOf({ facade, agents }: Ready, name: string) {
  const token = agents.find((agent) => agent.name === name)?.token ?? ''
  return { facade, agent: `${NAMESPACE}/${name}`, token }
}

async function admin({ admin: url, adminToken }: Ready, method: string, path: string): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify({ reason: 'crash' }) } : {}),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text)
}
