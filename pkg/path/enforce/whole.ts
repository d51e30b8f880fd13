import type { AnswerBody, Limits, Verdict } from '#pkg/model'
import { Judging } from './judging.ts'
import type { Judge, Surroundings } from './ports.ts'
import type { TextSpan } from './text-holds.ts'

/** What became of an answer that does not stream: bytes to deliver, or the verdict that ended it. */
export type WholeResult =
  | { readonly ended: null; readonly body: Uint8Array }
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
  })
  const spans: TextSpan[] = []
  await judging.take(answer.messages, spans)
  if (judging.ended === null) await judging.end()
  const ended = judging.ended ?? around.ended()
  if (ended !== null) return { ended, body: null }
  return { ended: null, body: answer.write(judging.decided(spans)) }
}
