import {
  type AnswerStream,
  type Frame,
  findingOf,
  type Headers,
  type Reading,
  type Reason,
  type UpstreamLeg,
} from '#pkg/model'
import { type Decoded, type Decoder, newDecoder } from '#pkg/path/codec/wire/encoding'
import { answerHeaders, answerKind } from '#pkg/path/codec/wire/http1'
import { newJsonArraySplitter } from '#pkg/path/codec/wire/json-array'
import { newSseSplitter } from '#pkg/path/codec/wire/sse'
import { Gate, judgeWhole } from '#pkg/path/enforce'
import type { Exchange } from './exchange.ts'
import type { ExchangeJudge } from './judge.ts'
import { FrameDebt, isLarge, readLarge } from './large-frames.ts'
import type { EgressDeps } from './ports.ts'

type Parts = {
  readonly deps: EgressDeps
  readonly judge: ExchangeJudge
  readonly exchange: Exchange
  readonly answer: UpstreamLeg
}

/** Brings the provider's answer to the client: streamed through the gate, or whole. Throws what the upstream throws. */
export async function relay(
  deps: EgressDeps,
  judge: ExchangeJudge,
  exchange: Exchange,
  answer: UpstreamLeg,
): Promise<void> {
  const parts: Parts = { deps, judge, exchange, answer }
  try {
    await relayByKind(parts)
  } finally {
    answer.cancel() // a no-op after the end
  }
}

async function relayByKind(parts: Parts): Promise<void> {
  const { deps, exchange, answer } = parts
  if (exchange.view.endpoint.kind === 'empty' && isFinal(answer.status))
    return exchange.reply(answer.status, bodilessOf(answer), NO_BYTES)
  const kind = answerKind(answer.status, answer.headers, exchange.dialect.jsonTypes)
  if (!kind.ok) {
    if (answer.status >= 400) return bareFault(parts)
    return abort(parts, kind.reason, kind.detail)
  }
  if (kind.kind === 'empty') return exchange.reply(answer.status, headersOf(answer), NO_BYTES)
  const { endpoint } = exchange.view
  const asArray = endpoint.framing === 'json-array'
  const framed = asArray ? kind.kind === 'json' && answer.status < 400 : kind.kind === 'stream'
  const streams = framed && endpoint.kind === 'judged'
  if (kind.kind === 'stream' && !streams) return abort(parts, 'WIRE_CONTENT_TYPE', 'is a stream where none is defined')
  const opened = newDecoder(kind.encoding, {
    ratio: deps.limits.decodedRatio,
    maxBytes: streams ? null : deps.limits.answerBytes,
  })
  if (!opened.ok) return abort(parts, opened.reason, opened.detail)
  try {
    if (streams) await relayStream(parts, opened.decoder)
    else await relayWhole(parts, opened.decoder)
  } finally {
    opened.decoder.close()
  }
}

async function relayStream(parts: Parts, decoder: Decoder): Promise<void> {
  const { deps, judge, exchange, answer } = parts
  const stream = exchange.dialect.openStream(exchange.view, deps.limits)
  const gate = new Gate({ stream, judge, around: exchange, budget: deps.budget, limits: deps.limits })
  const splitter = splitterOf(exchange, deps)
  const debt = new FrameDebt(deps.budget, deps.limits)
  const pump = new Pump(parts, { gate, stream, splitter, debt })
  exchange.holds = () => gate.holds
  try {
    exchange.head(answer.status, headersOf(answer))
    for await (const chunk of answer.chunks) {
      const decoded = await decoder.push(chunk)
      if (exchange.over) return
      if (!decoded.ok) return abort(parts, decoded.reason, decoded.detail)
      for (const bytes of decoded.chunks) if (!(await pump.chunk(bytes))) return
    }
    if (exchange.over) return
    const rest = await decoder.end()
    if (!rest.ok) return abort(parts, rest.reason, rest.detail)
    for (const bytes of rest.chunks) if (!(await pump.chunk(bytes))) return
    if (!(await pump.frames(splitter.end()))) return
    await gate.end()
    if (await pump.flush()) exchange.end()
  } finally {
    gate.close()
    debt.cover(0)
  }
}

function splitterOf(exchange: Exchange, deps: EgressDeps): ReturnType<typeof newSseSplitter> {
  const asArray = exchange.view.endpoint.framing === 'json-array'
  return asArray ? newJsonArraySplitter(deps.limits) : newSseSplitter(deps.limits)
}

type Streaming = {
  readonly gate: Gate
  readonly stream: AnswerStream
  readonly splitter: ReturnType<typeof newSseSplitter>
  readonly debt: FrameDebt
}

/** Frames into the gate, and out to the client what may leave. Each method answers whether the exchange goes on. */
class Pump {
  readonly #parts: Parts
  readonly #exchange: Exchange
  readonly #gate: Gate
  readonly #streaming: Streaming
  #turn = 0

  constructor(parts: Parts, streaming: Streaming) {
    this.#parts = parts
    this.#exchange = parts.exchange
    this.#gate = streaming.gate
    this.#streaming = streaming
  }

  async chunk(bytes: Uint8Array): Promise<boolean> {
    const { splitter, debt } = this.#streaming
    if (!(await this.frames(splitter.push(bytes)))) return false
    return debt.cover(splitter.heldBytes) || this.#overloaded()
  }

  async frames(frames: Iterable<Frame>): Promise<boolean> {
    for (const frame of frames) {
      this.#turn += frame.raw.length
      const parsed = isLarge(frame) ? await this.#inTurns(frame) : undefined
      if (parsed === null) return false
      const pending = this.#gate.offer(frame, parsed)
      if (pending !== undefined) {
        if (!(await this.flush())) return false // what stands before the call does not wait for its verdict
        await pending
      }
      if (this.#gate.ended !== null) return this.flush()
      if (this.#turn >= this.#parts.deps.limits.turnBytes) {
        if (!(await this.flush())) return false
        this.#turn = 0
        await nextTurn()
      }
    }
    return this.flush()
  }

  /** What the data of a large event holds; null = the exchange is over. What stands before it does not wait. */
  async #inTurns(frame: Frame & { kind: 'event' }): Promise<Reading<unknown> | null> {
    const { stream, debt } = this.#streaming
    if (!debt.cover(frame.raw.length)) {
      this.#overloaded()
      return null
    }
    if (!(await this.flush())) return null
    const parsed = await readLarge(frame, stream, this.#parts.deps.limits, nextTurn)
    debt.cover(0) // from here on the gate counts it
    this.#turn = 0
    return this.#exchange.over ? null : parsed
  }

  #overloaded(): false {
    abort(
      this.#parts,
      'WIRE_HELD_TOO_LARGE',
      'has an event that would have to be held beyond the limit in this process',
    )
    return false
  }

  async flush(): Promise<boolean> {
    if (this.#exchange.over) return false
    const written = this.#exchange.write(this.#gate.take())
    for (const body of this.#streaming.stream.replies?.() ?? []) this.#exchange.answerBack(body)
    if (written !== undefined) {
      this.#turn = 0
      await written
    }
    const ended = this.#gate.ended
    if (ended !== null) this.#exchange.finish(ended)
    else if (this.#streaming.stream.over === true) this.#exchange.end()
    return !this.#exchange.over
  }
}

async function relayWhole(parts: Parts, decoder: Decoder): Promise<void> {
  const { deps, judge, exchange, answer } = parts
  const chunks: Uint8Array[] = []
  let held = 0
  const take = (decoded: Decoded): boolean => {
    if (exchange.over) return false
    if (!decoded.ok) {
      if (decoded.reason === 'WIRE_ANSWER_TOO_LARGE')
        exchange.fault('UPSTREAM_FAILED', tooLarge(deps.limits.answerBytes))
      else abort(parts, decoded.reason, decoded.detail)
      return false
    }
    for (const bytes of decoded.chunks) {
      if (!deps.budget.take(bytes.length)) {
        exchange.fault('OVERLOADED', 'too many bytes of answers are held in this process; try again')
        return false
      }
      held += bytes.length
      chunks.push(bytes)
    }
    return true
  }
  try {
    for await (const chunk of answer.chunks) if (!take(await decoder.push(chunk))) return
    if (!take(await decoder.end())) return
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    const reading = await exchange.dialect.readAnswer(exchange.view, body, { limits: deps.limits, yieldTurn: nextTurn })
    if (exchange.over) return
    if (!reading.ok) {
      if (answer.status >= 400) return bareFault(parts)
      return abort(parts, reading.reason, reading.detail)
    }
    const result = await judgeWhole(reading.value, judge, exchange, deps.limits)
    if (result.ended !== null) return exchange.finish(result.ended)
    exchange.reply(result.status ?? answer.status, headersOf(answer), result.body)
  } finally {
    deps.budget.give(held)
  }
}

/** The provider's own error in a form that no client reads as one: its status stays, its body does not. */
function bareFault(parts: Parts): void {
  const { exchange, answer } = parts
  const text = `sallyport: UPSTREAM_FAILED: the provider answered ${answer.status} with a body that is not JSON; it is withheld`
  exchange.reply(
    answer.status,
    { ...headersOf(answer), 'content-type': 'application/json' },
    (exchange.view.voice ?? exchange.dialect).fault('UPSTREAM_FAILED', text),
  )
}

function abort(parts: Parts, reason: Reason, detail: string): void {
  parts.exchange.finish(parts.judge.stream([findingOf(reason, 0, detail)]))
}

function headersOf(answer: UpstreamLeg): Headers {
  return answerHeaders(answer.headers)
}

/** Whatever body comes is withheld, and what was said of it. */
function bodilessOf(answer: UpstreamLeg): Headers {
  const { 'content-type': _type, ...headers } = headersOf(answer)
  return headers
}

/** Neither a part, nor on the way, nor elsewhere. */
function isFinal(status: number): boolean {
  return (status >= 200 && status < 300 && status !== 206) || (status >= 400 && status <= 599)
}

function tooLarge(limit: number): string {
  return `the answer is larger than ${limit} bytes, which is the limit for one that does not stream`
}

/** Lets the event loop go round once. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const NO_BYTES = new Uint8Array(0)
