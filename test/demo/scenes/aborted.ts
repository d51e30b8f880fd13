import { claim, count, milliseconds as ms, title } from '../say.ts'
import type { Scene } from './contract.ts'

/** (b), under Abort. */
export const aborted: Scene = async (stage) => {
  title('(b′) The same under Abort: the answer ends, the provider stops')
  const agent = stage.agent('marketing-abort')
  agent.say('Refresh the customer segments, please.')
  await agent.answer()
  await agent.runCalls()
  const turn = await agent.answer()
  claim(
    turn.error !== null && turn.error.code === 'INTENT_SQL_DDL',
    'the SDK threw an APIError, code INTENT_SQL_DDL, in mid-stream',
    { error: turn.error?.message, code: turn.error?.code, finish: turn.finish },
  )
  const left = await within(1_000, () => stage.seen().outcome === 'cancelled')
  const { tokensSent, tokensPlanned, outcome } = stage.seen()
  claim(left !== null, `the provider saw its stream cancelled (within ${ms((left ?? 0) + 1)})`, outcome)
  claim(
    tokensSent < tokensPlanned,
    `${count(tokensPlanned - tokensSent)} of ${tokensPlanned} tokens saved: they were never written`,
    { tokensSent, tokensPlanned },
  )
  const rows = await stage.tools.customers()
  claim(rows !== null && rows > 0, `the table stands: ${rows} customers`, rows)
  return ['default/marketing-abort Abort INTENT_SQL_DDL']
}

/** Time until it holds, or null after `limitMs`. */
async function within(limitMs: number, holds: () => boolean): Promise<number | null> {
  const started = performance.now()
  while (!holds()) {
    if (performance.now() - started > limitMs) return null
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return performance.now() - started
}
