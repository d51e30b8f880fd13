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
import { besidesOf } from './besides.ts'
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

const NOTHING = { ok: true, value: { methods: [], paths: [] } } as const

/** The dialect. */
export const plainHttp: PlainDialect = {
  name: 'http',
  directions: ['ToHost', 'FromHost'],
  readRequest,
  refusal,
  fault,
}

function readRequest(ask: Ask, target: HostTarget): Reading<RequestView> {
  const { method, path, query, body } = ask
  if (holdsToken(path) || holdsToken(query))
    return { ok: false, reason: 'WIRE_HEADER_INVALID', at: 0, detail: 'has an agent token in its target; take it out' }
  const opaque = target.scheme === 'tcp'
  const besides = opaque ? NOTHING : besidesOf(ask, target)
  if (!besides.ok) return besides
  const name = opaque ? 'tunnel' : 'request'
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
      besides: besides.value,
      opaque,
    },
  }
}
