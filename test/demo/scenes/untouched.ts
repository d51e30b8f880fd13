import { fetchRaw } from '../bytes.ts'
import { HAIKU } from '../clients/contract.ts'
import { claim, count, milliseconds as ms, quote, title } from '../say.ts'
import { TOOLS } from '../tools.ts'
import { NOTHING_REFUSED, type Scene } from './contract.ts'

/** (a) What is allowed passes untouched, while it streams. */
export const untouched: Scene = async (stage) => {
  title('(a) What is allowed passes byte for byte, while it streams')
  const asked = [
    ['a plain answer', HAIKU],
    ['an allowed search_docs call', 'Which subject line should we test?'],
  ] as const
  const key = stage.sallyport.tokenOf('marketing')
  const probe = () => stage.seen().tokensSent
  for (const [what, content] of asked) {
    const body = JSON.stringify({ model: 'gpt-5', stream: true, messages: [{ role: 'user', content }], tools: TOOLS })
    const direct = await fetchRaw({ baseUrl: stage.provider.url, key: stage.providerKey, probe }, body)
    let through = await fetchRaw({ baseUrl: stage.sallyport.baseUrl, key, probe }, body)
    // a machine that is busy just now shows late what came early
    for (let tries = 1; tries < 4 && through.atFirstText >= stage.seen().tokensPlanned / 2; tries += 1)
      through = await fetchRaw({ baseUrl: stage.sallyport.baseUrl, key, probe }, body)
    claim(
      through.bytes.equals(direct.bytes),
      `${what}: ${count(through.bytes.length)} bytes in ${through.events} events, the same as straight from the ` +
        `provider (sha256 ${through.sha256.slice(0, 12)}…)`,
      { direct: direct.bytes.length, through: through.bytes.length },
    )
    const { tokensPlanned } = stage.seen()
    claim(
      through.atFirstText > 0 && through.atFirstText < tokensPlanned / 2,
      `its first word came after ${ms(through.firstTextMs)}, when ${through.atFirstText} of ${tokensPlanned} tokens ` +
        `were written; its last byte after ${ms(through.endMs)}`,
      { atFirstText: through.atFirstText, tokensPlanned },
    )
  }

  const agent = stage.agent('marketing')
  agent.say('Which subject line should we test for the spring campaign?')
  const turn = await agent.answer()
  const calls = await agent.runCalls()
  claim(
    calls.length === 1 && stage.tools.ran.at(-1)?.name === 'search_docs',
    'through the official SDK: the agent got the search_docs call and ran it',
    { calls, error: turn.error?.message },
  )
  const { tokensSent, tokensPlanned } = stage.seen()
  claim(
    turn.atCall === tokensPlanned && tokensSent === tokensPlanned,
    `its text streamed, but no byte of the call left before all ${tokensPlanned} tokens of the answer were written and judged`,
    { atCall: turn.atCall, tokensPlanned },
  )
  const answer = await agent.answer()
  claim(answer.finish === 'stop', 'and the next turn answers with what it found', answer.error?.message)
  quote('model', (answer.message?.content ?? '').split('\n')[0] ?? '')
  return NOTHING_REFUSED
}
