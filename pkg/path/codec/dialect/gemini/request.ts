import { type Endpoint, NO_HISTORY, type Reading, type RequestView, type Work } from '#pkg/model'
import { readBody } from '#pkg/path/codec/wire/json'
import { asArray, asObject, asText, isEmpty, type Json, named, twinOf } from '#pkg/path/codec/wire/shape'
import { modelOf } from './endpoints.ts'
import { historyOf } from './history.ts'
import { bothNames, member, present, twinIn } from './names.ts'
import { toolsOf } from './tools.ts'

const malformed = (detail: string): Reading<never> => ({ ok: false, reason: 'WIRE_REQUEST_MALFORMED', at: 0, detail })

/** Reads a request of an owned endpoint, strictly: what a lenient provider could read otherwise is refused. */
export function readRequest(
  endpoint: Endpoint,
  body: Uint8Array,
  work: Work,
): Reading<RequestView> | Promise<Reading<RequestView>> {
  if (endpoint.method === 'GET') {
    return body.length > 0 ? malformed('has a body, which a GET may not') : { ok: true, value: bodiless(endpoint) }
  }
  const bounds = { depth: work.limits.jsonDepth, bytes: work.limits.requestBytes }
  const turns = { turnBytes: work.limits.turnBytes, yieldTurn: work.yieldTurn }
  return readBody(body, bounds, { turns, profile: 'envelope' }, (parsed) => readParsed(endpoint, body, parsed))
}

function readParsed(endpoint: Endpoint, body: Uint8Array, parsed: Reading<unknown>): Reading<RequestView> {
  if (!parsed.ok) return { ok: false, reason: parsed.reason, at: parsed.at, detail: parsed.detail }
  const value = asObject(parsed.value)
  if (value === null) return malformed('is not a JSON object')
  const fault =
    twinFault(value) ?? modelFault(endpoint, value) ?? (endpoint.kind === 'judged' ? shapeFault(value) : null)
  return fault === null ? { ok: true, value: viewOf(endpoint, body, value) } : malformed(fault)
}

function bodiless(endpoint: Endpoint): RequestView {
  const model = modelOf(endpoint)
  return {
    endpoint,
    provider: 'Gemini',
    body: new Uint8Array(0),
    value: null,
    model,
    modelless: model === null,
    stream: false,
    tools: [],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
  }
}

/** What is read of a request; deeper down the provider knows both names of a member, and no third. */
const READ = named(
  ...bothNames('contents', 'tools', 'toolConfig', 'systemInstruction', 'generationConfig', 'safetySettings'),
  ...bothNames('cachedContent', 'generateContentRequest', 'requests', 'model'),
)

function twinFault(value: Json): string | null {
  const twin = twinOf(value, READ)
  if (twin !== null) return `has "${twin}", which some readers take for another member`
  const twice = twinIn(value)
  return twice === null ? null : `has "${twice}" in two spellings, of which readers take the one or the other`
}

/** The model stands in the path; wherever a body names one it must be the same. */
function modelFault(endpoint: Endpoint, value: Json): string | null {
  const nested = member(value, 'generateContentRequest')
  const asked = [value, asObject(nested), ...(asArray(value['requests']) ?? []).map(asObject)]
  if (present(nested) && asObject(nested) === null) return 'has a "generateContentRequest" that is no object'
  const model = modelOf(endpoint)
  for (const request of asked) {
    const named = request?.['model']
    if (present(named) && named !== `models/${model}` && named !== model)
      return 'names another "model" in its body than in its path'
  }
  return null
}

function shapeFault(value: Json): string | null {
  const contents = asArray(value['contents'])
  if (contents === null || contents.length === 0) return 'has no "contents", which must be a list'
  for (const entry of contents) {
    const content = asObject(entry)
    if (content === null) return 'has an entry in "contents" that is not an object'
    const parts = content['parts']
    if (present(parts) && asArray(parts)?.every((part) => asObject(part) !== null) !== true)
      return 'has "parts" in its "contents" that are no list of objects'
  }
  const config = member(value, 'generationConfig')
  if (present(config) && asObject(config) === null) return 'has a "generationConfig" that is no object'
  return toolsFault(value['tools'])
}

function toolsFault(tools: unknown): string | null {
  if (!present(tools)) return null
  const list = asArray(tools)
  if (list?.every((tool) => asObject(tool) !== null) !== true) return 'has "tools" that is no list of objects'
  for (const tool of list.map(asObject)) {
    for (const name of ['functionDeclarations', 'function_declarations']) {
      const declared = tool?.[name]
      if (!present(declared)) continue
      if (asArray(declared)?.every((one) => asObject(one) !== null) !== true)
        return `has "${name}" that is no list of objects`
    }
  }
  return null
}

function viewOf(endpoint: Endpoint, body: Uint8Array, value: Json): RequestView {
  const judged = endpoint.kind === 'judged'
  const { tools, hosted } = judged ? toolsOf(value) : { tools: [], hosted: [] }
  const config = asObject(member(value, 'generationConfig')) ?? {}
  const mime = asText(member(config, 'responseMimeType'))
  const schemas = ['responseSchema', 'responseJsonSchema'].some((name) => !isEmpty(member(config, name)))
  return {
    endpoint,
    provider: 'Gemini',
    body,
    value,
    model: modelOf(endpoint),
    modelless: false,
    stream: endpoint.framing !== undefined,
    tools,
    hostedTools: hosted,
    structuredOutput: schemas || (mime !== null && mime !== 'text/plain'),
    history: historyOf(value),
  }
}
