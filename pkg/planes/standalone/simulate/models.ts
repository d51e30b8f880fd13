import { createHash } from 'node:crypto'
import { badRequest, type Fault, isObject, missing, modelNotFound } from './faults.ts'

/** One model on offer. `dated` is the name that answers carry. */
export type Model = {
  readonly id: string
  readonly dated: string
  readonly kind: 'chat' | 'embedding'
  /** Seconds since 1970. */
  readonly created: number
}

/** The models that the simulator offers. */
export const MODELS: readonly Model[] = [
  { id: 'gpt-5', dated: 'gpt-5-2025-08-07', kind: 'chat', created: 1_754_425_777 },
  { id: 'gpt-5-mini', dated: 'gpt-5-mini-2025-08-07', kind: 'chat', created: 1_754_425_928 },
  { id: 'gpt-4o', dated: 'gpt-4o-2024-08-06', kind: 'chat', created: 1_715_367_049 },
  { id: 'gpt-4o-mini', dated: 'gpt-4o-mini-2024-07-18', kind: 'chat', created: 1_721_172_741 },
  { id: 'text-embedding-3-small', dated: 'text-embedding-3-small', kind: 'embedding', created: 1_705_948_997 },
]

/** One entry of the model list. */
export function modelEntry(model: Model): object {
  return { id: model.id, object: 'model', created: model.created, owned_by: 'system' }
}

/** Body of `GET /v1/models`. */
export function modelList(models: readonly Model[]): object {
  return { object: 'list', data: models.map(modelEntry) }
}

/** A JSON body, or the provider's error. */
export type BodyReading = { readonly ok: true; readonly body: object } | { readonly ok: false; readonly fault: Fault }

const MAX_INPUTS = 2_048
const MAX_DIMENSIONS = 1_536

/** Answers `POST /v1/embeddings` with unit vectors that follow from the text alone. */
export function embeddings(body: unknown, models: readonly Model[]): BodyReading {
  if (!isObject(body) || typeof body.model !== 'string')
    return { ok: false, fault: badRequest('you must provide a model parameter') }
  const model = models.find((entry) => entry.id === body.model && entry.kind === 'embedding')
  if (model === undefined) return { ok: false, fault: modelNotFound(body.model) }
  const inputs = typeof body.input === 'string' ? [body.input] : body.input
  if (inputs === undefined) return { ok: false, fault: missing('input') }
  const dimensions = body.dimensions ?? MAX_DIMENSIONS
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.length > MAX_INPUTS || !inputs.every(isText))
    return {
      ok: false,
      fault: badRequest(
        "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
      ),
    }
  if (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS)
    return { ok: false, fault: badRequest("Invalid value for 'dimensions'.", 'dimensions', 'invalid_value') }
  const base64 = body.encoding_format === 'base64'
  const data = inputs.map((text, index) => {
    const vector = vectorOf(text, dimensions)
    return {
      object: 'embedding',
      index,
      embedding: base64 ? Buffer.from(vector.buffer).toString('base64') : [...vector],
    }
  })
  const tokens = inputs.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
  return {
    ok: true,
    body: { object: 'list', data, model: model.dated, usage: { prompt_tokens: tokens, total_tokens: tokens } },
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0
}

function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const bytes = createHash('shake256', { outputLength: dimensions * 2 })
    .update(text)
    .digest()
  const raw = Array.from({ length: dimensions }, (_, index) => bytes.readInt16LE(index * 2) / 32_768)
  const norm = Math.hypot(...raw) || 1
  return Float32Array.from(raw, (value) => value / norm)
}
