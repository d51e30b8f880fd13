import type { Standalone, StandaloneDeps, StandaloneOptions } from './ports.ts'
import { startStandalone } from './standalone.ts'

/**
 * As `startStandalone`, with one simulated provider in the place of all of them; it streams prepared answers, and ends
 * with the process. No key is sent to it, so none is on record as used.
 * @throws SallyportError as `startStandalone`; UNREACHABLE when the simulator cannot listen.
 */
export async function startSimulated(deps: StandaloneDeps, options: StandaloneOptions): Promise<Standalone> {
  const { startSimulator } = await import('./simulate/index.ts') // nobody else needs its conversations in memory
  const simulator = await startSimulator({ clock: deps.clock }, { apiKey: null })
  const { origin } = new URL(simulator.url)
  const upstreams = [
    { name: 'openai', url: simulator.url, key: null },
    { name: 'openai-compatible', url: simulator.url, key: null },
    { name: 'anthropic', url: origin, key: null },
    { name: 'gemini', url: origin, key: null },
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
