/** Agents at work on a process that will die under them: what they were told is kept, to the last byte that came. */
import { anthropicSdk } from '../demo/clients/anthropic.ts'
import { chatSdk } from '../demo/clients/chat.ts'
import { HAIKU } from '../demo/clients/contract.ts'
import { geminiSdk } from '../demo/clients/gemini.ts'
import { responsesSdk } from '../demo/clients/responses.ts'
import type { Random } from '../fuzz/runner/random.ts'

const DIALECTS = [chatSdk, responsesSdk, anthropicSdk, geminiSdk] as const
/** Its answer holds an allowed search, a DELETE that is not, and an allowed SELECT. */
const STATUS = 'Write the weekly status, please.'
const ID = /\bv_[A-Za-z0-9]{14}\b/g
const NOBODY = `sp_vk_${'0'.repeat(32)}`

/** What came back in all rounds. */
export type Told = {
  /** Every verdict id that some client has read. */
  readonly ids: Set<string>
  /** By agent: answers in which an allowed call of search_docs came. */
  readonly released: Map<string, number>
  /** Answers that came whole. */
  answers: number
}

/** Who asks, and where. */
export type Asking = { readonly facade: string; readonly agent: string; readonly token: string }

/**
 * Asks for calls or for words in one of the dialects, and reads to the end of the answer, or to where the process died: what
 * came until then counts. `whole` is false then.
 */
export async function askOnce(
  told: Told,
  { facade, agent, token }: Asking,
  { random, question }: { readonly random: Random; readonly question: 'calls' | 'words' },
): Promise<{ readonly whole: boolean; readonly text: string }> {
  const dialect = random.pick(DIALECTS) ?? chatSdk
  const { path, headers, body } = dialect.raw(question === 'calls' ? STATUS : HAIKU, token)
  let [text, whole] = ['', false]
  try {
    const response = await fetch(`${facade}${dialect.facade}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
    text = `${response.headers.get('x-sallyport-verdict') ?? ''}\n`
    for await (const bytes of response.body ?? []) text += Buffer.from(bytes).toString()
    whole = true
    told.answers += 1
  } catch {
    // it died in mid-answer
  }
  for (const [id] of text.matchAll(ID)) told.ids.add(id)
  if (text.includes('search_docs')) told.released.set(agent, (told.released.get(agent) ?? 0) + 1)
  return { whole, text }
}

/** One worker: asks, now and then with a token that nobody knows, until the process is gone. */
export async function work(told: Told, asking: Asking, random: Random): Promise<void> {
  for (;;) {
    const token = random.below(8) === 0 ? NOBODY : asking.token
    const question = random.below(4) === 0 ? 'words' : 'calls'
    const { whole } = await askOnce(told, { ...asking, token }, { random, question })
    if (!whole) return
  }
}
