import { fingerprint, type Plan, type PlannedCall, usageOf } from './answer.ts'
import { lettersFrom } from './identifiers.ts'
import type { ChatRequest } from './request.ts'

/** One event of a streamed answer, ready to be written, and how many tokens it carries. */
export type StreamEvent = { readonly text: string; readonly tokens: number }

type Delta = { readonly delta: object; readonly finish: string | null; readonly tokens: number }

/**
 * The events of a streamed answer, `[DONE]` last: role, text, calls one after the other, `finish_reason`, usage if it
 * was asked for. Several choices take turns.
 */
export function* eventsOf(plan: Plan, request: ChatRequest): Generator<StreamEvent> {
  const deltas = [...deltasOf(plan)]
  let number = 0
  for (const { delta, finish, tokens } of deltas)
    for (let index = 0; index < request.choices; index++) {
      const choices = [{ index, delta, logprobs: null, finish_reason: finish }]
      yield { text: frame(plan, request, choices, number++), tokens }
    }
  if (request.includeUsage) yield { text: frame(plan, request, [], number), tokens: 0 }
  yield { text: 'data: [DONE]\n\n', tokens: 0 }
}

function* deltasOf(plan: Plan): Generator<Delta> {
  const [only, ...others] = plan.calls
  // A lone call without text opens in the first delta; otherwise the role comes alone.
  const openFirst = plan.text.length === 0 && only !== undefined && others.length === 0
  const content = plan.text.length === 0 && only !== undefined ? null : ''
  yield token({
    role: 'assistant',
    content,
    ...(openFirst && only ? { tool_calls: [opening(only, 0)] } : {}),
    refusal: null,
  })
  for (const piece of plan.text) yield token({ content: piece }, 1)
  for (const [index, call] of plan.calls.entries()) {
    if (!openFirst) yield token({ tool_calls: [opening(call, index)] })
    for (const piece of call.tokens) yield token({ tool_calls: [{ index, function: { arguments: piece } }] }, 1)
  }
  yield { delta: {}, finish: plan.finish, tokens: 0 }
}

function token(delta: object, tokens = 0): Delta {
  return { delta, finish: null, tokens }
}

function opening(call: PlannedCall, index: number): object {
  return { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
}

function frame(plan: Plan, request: ChatRequest, choices: readonly object[], number: number): string {
  const chunk = {
    id: plan.id,
    object: 'chat.completion.chunk',
    created: plan.created,
    model: plan.model,
    service_tier: 'default',
    system_fingerprint: fingerprint(plan),
    choices,
    ...(request.includeUsage ? { usage: choices.length === 0 ? usageOf(plan, request.choices) : null } : {}),
  }
  if (!request.includeObfuscation) return `data: ${JSON.stringify(chunk)}\n\n`
  return `data: ${JSON.stringify({ ...chunk, obfuscation: padding(chunk, plan.id, number) })}\n\n`
}

/** Fills short events up to a multiple of 16 characters, so that their length does not tell the token's. */
function padding(chunk: object, id: string, number: number): string {
  const length = 16 - (JSON.stringify(chunk).length % 16)
  return lettersFrom(`${id} ${number}`, length)
}
