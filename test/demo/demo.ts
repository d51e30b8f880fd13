/**
 * demo: the main job of Sallyport in half a minute, on a real SDK client, printed from what happened.
 *
 * In:  docs/examples/demo/*.yaml (three agents), `./sallyctl`, the simulated provider, a real database.
 * Out: a story on stdout; exit 0, or 1 with the claim that did not hold. Nothing is printed before it was checked.
 * Never: leaves a process or a folder behind, needs a key or a network, runs longer than two minutes.
 */

import { ClaimFailed, failed, tell, title } from './say.ts'
import { aborted } from './scenes/aborted.ts'
import type { Refusal, Scene } from './scenes/contract.ts'
import { evidence } from './scenes/evidence.ts'
import { introduce } from './scenes/introduce.ts'
import { led } from './scenes/led.ts'
import { otherSdks } from './scenes/other-sdks.ts'
import { parallel } from './scenes/parallel.ts'
import { severed } from './scenes/severed.ts'
import { untouched } from './scenes/untouched.ts'
import { verdicts } from './scenes/verdicts.ts'
import { type Abandon, setStage } from './stage.ts'

const LIMIT_MS = 120_000

/** In their order. */
const SCENES: readonly Scene[] = [untouched, led, aborted, parallel, otherSdks, severed]

const started = performance.now()
let abandon: Abandon = async () => {}

async function endBadly(text: string): Promise<never> {
  failed(text)
  await abandon()
  process.exit(1)
}

process.on('exit', () => void abandon())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => void endBadly(`it was stopped by ${signal}`))
setTimeout(() => void endBadly(`it was not over after ${LIMIT_MS / 1_000} s`), LIMIT_MS).unref()

async function play(): Promise<void> {
  title('Sallyport: a streamed tool call is held, judged, and released or refused')
  const stage = await setStage((given) => {
    abandon = given
  })
  introduce(stage)
  const refusals: Refusal[] = []
  for (const scene of SCENES) refusals.push(...(await scene(stage)))
  await verdicts(stage, refusals)
  await evidence(stage)
  const status = await stage.close()
  if (status !== 0) throw new ClaimFailed(`sallyctl up ends cleanly on SIGTERM\n  seen: status ${status}`)
  console.log()
  tell(`Done in ${((performance.now() - started) / 1_000).toFixed(1)} s. The policies: docs/examples/demo/.`)
  process.exit(0)
}

await play().catch((error: unknown) => {
  if (error instanceof ClaimFailed) return endBadly(`this did not hold:\n  ${error.message}`)
  return endBadly(error instanceof Error ? error.message : String(error))
})
