import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { systemClock } from '#pkg/platform/clock'
import type { UpSettings } from '#pkg/platform/settings'
import { bad, type Checked, good, unknown } from './checked.ts'

/** One provider that was asked. `offsetMs`: how far its clock is from ours; null = not known. */
export type Reached = { readonly checked: Checked; readonly offsetMs: number | null }

/** From the question to the head of the answer. */
const ANSWER_MS = 5_000
/** Tokens and proofs live for minutes: a clock that is further off breaks them. */
const MAX_OFFSET_MS = 60_000

/** Asks each provider for its front page, without a key: any answer of HTTP will do. */
export async function checkProviders({ upstreams }: Pick<UpSettings, 'upstreams'>): Promise<readonly Reached[]> {
  return await Promise.all(
    Object.entries(upstreams).map(async ([name, url]): Promise<Reached> => {
      const label = `provider ${name}`
      const { host } = new URL(url)
      const answer = await ask(url)
      if (typeof answer === 'string') {
        const fix = `look at the network and its proxies, or set --upstream ${name}=URL; "--offline" leaves this out`
        const doc = 'docs/reference/cli.md#sallyctl-check'
        return { checked: bad(label, `${host} cannot be reached (${answer})`, { fix, doc }), offsetMs: null }
      }
      return { checked: good(label, `${host} answers`), offsetMs: answer.offsetMs }
    }),
  )
}

/** Is our clock right, by what the providers say? */
export function checkClock(reached: readonly Reached[]): Checked {
  const offsets = reached.flatMap(({ offsetMs }) => offsetMs ?? [])
  const [first] = offsets.sort((left, right) => Math.abs(left) - Math.abs(right))
  if (first === undefined) return unknown('clock', 'nobody was reached to compare it with')
  const seconds = Math.round(first / 1_000)
  if (Math.abs(first) <= MAX_OFFSET_MS)
    return good('clock', `within ${Math.max(1, Math.abs(seconds))} s of the providers`)
  const detail = `${Math.abs(seconds)} s ${seconds > 0 ? 'behind' : 'ahead of'} the providers`
  return bad('clock', detail, {
    fix: 'set it, and keep it right with NTP',
    doc: 'docs/reference/cli.md#sallyctl-check',
  })
}

/** The offset of its clock, or why it does not answer. */
function ask(url: string): Promise<{ readonly offsetMs: number | null } | string> {
  const target = new URL('/', url)
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve) => {
    const request = send(target, { method: 'HEAD', agent: false }, (answer) => {
      const theirs = Date.parse(answer.headers.date ?? '')
      answer.destroy()
      resolve({ offsetMs: Number.isNaN(theirs) ? null : theirs - systemClock.nowMs() })
    })
    request.setTimeout(ANSWER_MS, () => request.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })))
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown fault'))
    request.end()
  })
}
