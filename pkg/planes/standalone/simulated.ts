import type { Standalone, StandaloneDeps, StandaloneOptions } from './ports.ts'
import { startStandalone } from './standalone.ts'

/** What the simulator takes for a provider's key: no key of a person is ever sent to it. */
const KEY = 'simulated'

/**
 * As `startStandalone`, with one simulated provider in the place of all of them; it streams prepared answers, and ends
 * with the process.
 * @throws SallyportError as `startStandalone`; UNREACHABLE when the simulator cannot listen.
 */
export async function startSimulated(deps: StandaloneDeps, options: StandaloneOptions): Promise<Standalone> {
  const { startSimulator } = await import('./simulate/index.ts') // nobody else needs its conversations in memory
  const simulator = await startSimulator({ clock: deps.clock }, { apiKey: null })
  const { origin } = new URL(simulator.url)
  const upstreams = [
    { name: 'openai', url: simulator.url, key: KEY },
    { name: 'openai-compatible', url: simulator.url, key: KEY },
    { name: 'anthropic', url: origin, key: KEY },
    { name: 'gemini', url: origin, key: KEY },
  ]
  try {
    const standalone = await startStandalone(deps, { ...options, upstreams })
    return {
      ...standalone,
      close: async (drainMs) => {
        await standalone.close(drainMs)
        await simulator.close()
      },
    }
  } catch (error) {
    await simulator.close()
    throw error
  }
}
