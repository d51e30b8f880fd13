import type { Plan, PlannedCall } from '../answer.ts'
import type { StreamEvent } from '../events.ts'
import { isObject } from '../faults.ts'
import { lettersFrom } from '../identifiers.ts'
import { chatOf, type OtherApi, pairingFault, type Read, type Refused, type Turn } from './contract.ts'

/** How the answer is framed: server-sent events, or one JSON array that grows. */
type Framing = 'sse' | 'array'

const PATH = /^\/v1(?:beta|alpha)?\/models\/(gemini-[a-z0-9.-]{1,64}):(generateContent|streamGenerateContent)$/

/** The Gemini API: `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`. */
export const geminiApi: OtherApi<Framing> = {
  read: (path, query, body) => {
    const match = PATH.exec(path)
    if (match === null) return null
    const framing = new URLSearchParams(query).get('alt') === 'sse' ? 'sse' : 'array'
    return readBody(match[1] ?? '', match[2] === 'streamGenerateContent', framing, body)
  },
  events: (plan, { more }) => events(plan, more),
  whole: (plan) => chunkOf(plan, partsOf(plan), finishOf(plan)),
  streamType: ({ more }) => (more === 'sse' ? 'text/event-stream' : 'application/json; charset=UTF-8'),
}

function errorBody(code: number, status: string, message: string): object {
  return { error: { code, message, status } }
}

function bad(message: string): Refused {
  return { ok: false, status: 400, body: errorBody(400, 'INVALID_ARGUMENT', message) }
}

function readBody(model: string, stream: boolean, framing: Framing, body: unknown): Read<Framing> | Refused {
  if (!isObject(body)) return bad('Invalid JSON payload received.')
  const { contents } = body
  if (!Array.isArray(contents) || contents.length === 0) return bad('contents is not specified')
  const turns: Turn[] = []
  for (const [index, content] of contents.entries()) {
    const turn = turnOf(content, turns.at(-1))
    if (typeof turn === 'string') return bad(`contents[${index}]: ${turn}`)
    turns.push(turn)
  }
  const pairing = pairingFault(turns)
  if (pairing !== null)
    return bad(
      `Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn. ${pairing}`,
    )
  const tools = Array.isArray(body.tools) ? body.tools.filter(isObject) : []
  const declared = tools.flatMap((tool) => (Array.isArray(tool.functionDeclarations) ? tool.functionDeclarations : []))
  return {
    ok: true,
    more: framing,
    request: {
      model: { id: model, dated: `${model}-001`, kind: 'chat', created: 0 },
      messages: chatOf(turns),
      stream,
      includeUsage: false,
      includeObfuscation: false,
      choices: 1,
      callable: declared.filter(isObject).map((each) => String(each.name)),
      parallel: true,
      maxTokens: Number.POSITIVE_INFINITY,
    },
  }
}

/** Calls have no ids here by necessity: the n-th response of a turn answers the n-th call before it. */
function turnOf(content: unknown, before: Turn | undefined): Turn | string {
  if (!isObject(content) || !Array.isArray(content.parts) || content.parts.length === 0)
    return 'parts must not be empty'
  const role = content.role === 'model' ? 'assistant' : 'user'
  const texts: string[] = []
  const calls: Turn['calls'][number][] = []
  const results: Turn['results'][number][] = []
  for (const [index, part] of content.parts.entries()) {
    if (!isObject(part)) return `parts[${index}]: not an object`
    const { functionCall: call, functionResponse: response } = part
    if (typeof part.text === 'string') texts.push(part.text)
    else if (isObject(call) && role === 'assistant') {
      if (typeof part.thoughtSignature !== 'string')
        return `parts[${index}]: Function call is missing a thought_signature`
      const expected = signatureOf(String(call.name), JSON.stringify(call.args))
      if (part.thoughtSignature !== expected) return `parts[${index}]: Thought signature is not valid`
      calls.push({ id: `${calls.length}`, name: String(call.name), arguments: JSON.stringify(call.args) })
    } else if (isObject(response) && role === 'user') {
      const asked = before?.calls[results.length]
      if (asked !== undefined && asked.name !== response.name)
        return `parts[${index}]: answers ${asked.name} with ${String(response.name)}`
      results.push({ id: `${results.length}`, text: responseText(response.response) })
    } else return `parts[${index}]: required oneof field 'data' must have one initialized field`
  }
  return { role, text: texts.join(''), calls, results }
}

function responseText(response: unknown): string {
  if (!isObject(response)) return ''
  const said = response.output ?? response.result ?? response.error ?? response
  return typeof said === 'string' ? said : JSON.stringify(said)
}

function signatureOf(name: string, args: string): string {
  return Buffer.from(lettersFrom(`thought ${name} ${args}`, 30)).toString('base64')
}

function finishOf(plan: Plan): string {
  return plan.finish === 'length' ? 'MAX_TOKENS' : 'STOP'
}

function callPart(call: PlannedCall): object {
  const args: unknown = JSON.parse(call.tokens.join(''))
  return { functionCall: { name: call.name, args }, thoughtSignature: signatureOf(call.name, JSON.stringify(args)) }
}

function partsOf(plan: Plan): readonly object[] {
  return [...(plan.text.length > 0 ? [{ text: plan.text.join('') }] : []), ...plan.calls.map(callPart)]
}

function chunkOf(plan: Plan, parts: readonly object[], finish: string | null): object {
  return {
    candidates: [{ content: { parts, role: 'model' }, ...(finish === null ? {} : { finishReason: finish }), index: 0 }],
    usageMetadata: {
      promptTokenCount: plan.promptTokens,
      candidatesTokenCount: plan.tokens,
      totalTokenCount: plan.promptTokens + plan.tokens,
    },
    modelVersion: plan.model,
    responseId: lettersFrom(plan.id, 22),
  }
}

function* events(plan: Plan, framing: Framing): Generator<StreamEvent> {
  const pieces: { readonly parts: readonly object[]; readonly tokens: number }[] = [
    ...plan.text.map((text) => ({ parts: [{ text }], tokens: 1 })),
    ...plan.calls.map((call) => ({ parts: [callPart(call)], tokens: call.tokens.length })),
  ]
  const last = pieces.length - 1
  for (const [index, { parts, tokens }] of pieces.entries()) {
    const json = JSON.stringify(chunkOf(plan, parts, index === last ? finishOf(plan) : null))
    if (framing === 'sse') yield { text: `data: ${json}\r\n\r\n`, tokens }
    else yield { text: `${index === 0 ? '[' : ',\r\n'}${json}${index === last ? ']' : ''}`, tokens }
  }
}
