import type { Chosen } from './choose.ts'
import { lettersFrom } from './identifiers.ts'
import type { ChatRequest } from './request.ts'
import { tokensOf } from './tokens.ts'

/** One answer, cut into tokens, with all that its envelope needs. The same for the streamed and the whole form. */
export type Plan = {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly model: string
  readonly text: readonly string[]
  readonly calls: readonly PlannedCall[]
  readonly finish: 'stop' | 'tool_calls' | 'length'
  readonly promptTokens: number
  /** Tokens of one choice. */
  readonly tokens: number
}

/** One call of a plan. */
export type PlannedCall = { readonly id: string; readonly name: string; readonly tokens: readonly string[] }

/** Makes the plan of an answer. `seed` decides the ids: the same seed gives the same plan. */
export function planOf(request: ChatRequest, chosen: Chosen, seed: string, created: number): Plan {
  const all = chosen.answer.calls.map((call, index) => ({
    id: `call_${lettersFrom(`call ${index} ${seed}`, 24)}`,
    name: call.name,
    tokens: tokensOf(JSON.stringify(call.arguments)),
  }))
  const cut = cutAt(tokensOf(chosen.answer.text), all, request.maxTokens)
  const whole = cut.calls.length > 0 ? 'tool_calls' : 'stop'
  return {
    id: `chatcmpl-${lettersFrom(`answer ${seed}`, 29)}`,
    created,
    model: request.model.dated,
    text: cut.text,
    calls: cut.calls,
    finish: cut.whole ? whole : 'length',
    promptTokens: tokensOf(JSON.stringify(request.messages)).length,
    tokens: cut.text.length + cut.calls.reduce((sum, call) => sum + call.tokens.length, 0),
  }
}

type Cut = { readonly text: readonly string[]; readonly calls: readonly PlannedCall[]; readonly whole: boolean }

/** The answer as far as `maxTokens` reach; a call that they do not reach at all is left out. */
function cutAt(text: readonly string[], calls: readonly PlannedCall[], maxTokens: number): Cut {
  let left = maxTokens - Math.min(text.length, maxTokens)
  let whole = text.length <= maxTokens
  const kept: PlannedCall[] = []
  for (const call of calls) {
    if (call.tokens.length > left) whole = false
    if (left <= 0) break
    kept.push({ ...call, tokens: call.tokens.slice(0, left) })
    left -= Math.min(call.tokens.length, left)
  }
  return { text: text.slice(0, maxTokens), calls: kept, whole }
}

/** The `usage` object of an answer with that many choices. */
export function usageOf(plan: Plan, choices: number): object {
  const completion = plan.tokens * choices
  return {
    prompt_tokens: plan.promptTokens,
    completion_tokens: completion,
    total_tokens: plan.promptTokens + completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

/** The body of an answer that does not stream. */
export function wholeAnswer(plan: Plan, choices: number): object {
  const message = {
    role: 'assistant',
    content: plan.text.length > 0 || plan.calls.length === 0 ? plan.text.join('') : null,
    ...(plan.calls.length > 0 ? { tool_calls: plan.calls.map(wholeCall) } : {}),
    refusal: null,
    annotations: [],
  }
  return {
    id: plan.id,
    object: 'chat.completion',
    created: plan.created,
    model: plan.model,
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: plan.finish,
    })),
    usage: usageOf(plan, choices),
    service_tier: 'default',
    system_fingerprint: fingerprint(plan),
  }
}

/** The fingerprint that the answers of one model carry. */
export function fingerprint(plan: Plan): string {
  return `fp_${lettersFrom(plan.model, 10).toLowerCase()}`
}

function wholeCall(call: PlannedCall): object {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.tokens.join('') } }
}
