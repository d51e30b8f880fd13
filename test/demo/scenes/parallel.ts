import { claim, quote, title } from '../say.ts'
import type { Scene } from './contract.ts'

/** (c) One of three parallel calls is refused. */
export const parallel: Scene = async (stage) => {
  title('(c) Three parallel calls: the forbidden one is refused, two run')
  const before = await stage.tools.customers()
  const ranBefore = stage.tools.ran.length
  const agent = stage.agent('marketing')
  agent.say('Write the weekly status, please.')
  const turn = await agent.answer()
  const seen = stage.seen()
  claim(seen.rule === 'status/calls', 'the model wrote search_docs, run_sql DELETE, run_sql SELECT', seen.rule)
  const said = turn.message?.content ?? ''
  claim(said.includes('sallyport: INTENT_SQL_WRITE: '), 'the DELETE became a refusal', said || turn.error?.message)
  quote('client', said.slice(said.indexOf('sallyport: ')))
  await agent.runCalls()
  const ran = stage.tools.ran.slice(ranBefore)
  claim(
    ran.length === 2 && ran[0]?.name === 'search_docs' && ran[1]?.arguments.includes('SELECT') === true,
    'the other two ran: search_docs and run_sql SELECT',
    ran,
  )
  const rows = await stage.tools.customers()
  claim(rows !== null && rows === before, `no customer was deleted: ${rows}, as before`, { rows, before })
  const next = await agent.answer()
  claim(
    next.finish === 'stop' && stage.seen().rule === 'status/after-refusal',
    'and the model goes on with both results',
    {
      rule: stage.seen().rule,
      error: next.error?.message,
    },
  )
  quote('model', next.message?.content ?? '')
  return ['default/marketing Deny INTENT_SQL_WRITE']
}
