import {
  type Ask,
  type Direction,
  type HostTarget,
  NO_HISTORY,
  type Reading,
  type RequestView,
  type Verdict,
} from '#pkg/model'
import { holdsToken } from '#pkg/path/codec/wire/http1'
import { fault, refusal } from './refuse.ts'

/** What a plain exchange needs of its dialect. It is no `Dialect`: nothing in its answers is read. */
export type PlainDialect = {
  readonly name: 'http'
  readonly directions: readonly [out: Direction, back: Direction]
  /** What is judged of a proxied request, or of one that asks for an opaque connection. */
  readRequest(ask: Ask, target: HostTarget): Reading<RequestView>
  /** JSON body of a refusal. */
  refusal(verdict: Verdict): Uint8Array
  /** JSON body of a fault that is no refusal. */
  fault(code: string, message: string): Uint8Array
}

/** The dialect. */
export const plainHttp: PlainDialect = {
  name: 'http',
  directions: ['ToHost', 'FromHost'],
  readRequest,
  refusal,
  fault,
}

function readRequest({ method, path, query, body }: Ask, target: HostTarget): Reading<RequestView> {
  if (holdsToken(path) || holdsToken(query))
    return { ok: false, reason: 'WIRE_HEADER_INVALID', at: 0, detail: 'has an agent token in its target; take it out' }
  const name = target.scheme === 'tcp' ? 'tunnel' : 'request'
  return {
    ok: true,
    value: {
      endpoint: { name, method, path, query, kind: 'plain' },
      provider: null,
      body,
      value: null,
      model: null,
      modelless: true,
      stream: false,
      tools: [],
      hostedTools: [],
      structuredOutput: false,
      history: NO_HISTORY,
      target,
      opaque: target.scheme === 'tcp',
    },
  }
}
