import type { AnswerBody, Limits, RequestActs, Verdict } from '#pkg/model'
import { Judging } from './judging.ts'
import type { Judge, Surroundings } from './ports.ts'
import type { TextSpan } from './text-holds.ts'

/** What became of an answer that does not stream: bytes to deliver, or the verdict that ended it. */
export type WholeResult =
  | { readonly ended: null; readonly body: Uint8Array; readonly status: number | null }
  | { readonly ended: Verdict; readonly body: null }

/** Judges an answer that does not stream: held whole, then delivered with its refusals, or not at all. WIRE.md §2. */
export async function judgeWhole(
  answer: AnswerBody,
  judge: Judge,
  around: Surroundings,
  limits: Pick<Limits, 'callsPerAnswer'>,
): Promise<WholeResult> {
  const judging = new Judging({
    judge,
    around,
    limits,
    original: (call) => answer.original(call),
    answerId: () => answer.answerId(),
    callId: (call) => answer.callId?.(call) ?? null,
  })
  const spans: TextSpan[] = []
  await judging.take(answer.messages, spans)
  if (judging.ended === null) await judging.end()
  judging.leaveAll()
  const ended = judging.ended ?? around.ended()
  if (ended !== null) return { ended, body: null }
  const decided = judging.decided(spans)
  return { ended: null, body: answer.write(decided), status: answer.status?.(decided) ?? null }
}

/** What became of the calls that a request carries: they may leave, are answered in the server's place, or end it. */
export type ActsResult =
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly verdict: Verdict }
  | { readonly kind: 'answered'; readonly verdictId: string; readonly status: number; readonly body: Uint8Array }

/** Judges the calls that a request carries, before any of them leaves. Nothing is remembered of those that are refused. */
export async function judgeActs(
  acts: RequestActs,
  judge: Judge,
  around: Surroundings,
  limits: Pick<Limits, 'callsPerAnswer'>,
): Promise<ActsResult> {
  const judging = new Judging({
    judge,
    around,
    limits,
    outbound: true,
    original: () => '',
    answerId: () => null,
    callId: () => null,
  })
  await judging.take(acts.messages, [])
  const ended = judging.ended ?? around.ended()
  if (ended !== null) return { kind: 'ended', verdict: ended }
  const refusal = acts.refusal(judging.decided([]))
  return refusal === null ? { kind: 'open' } : { kind: 'answered', verdictId: judging.refusedBy() ?? '', ...refusal }
}
