import type { Answer, Rule } from './conversations.ts'
import { isObject, type JsonObject } from './faults.ts'
import type { ChatRequest } from './request.ts'

/** What the rules look at: the last user message and what came after it. */
type Seen = {
  readonly question: string
  readonly step: number
  readonly results: readonly Result[]
  readonly history: readonly Result[]
}
type Result = { readonly name: string; readonly text: string }

/** The chosen turn: its rule, and the answer with its placeholders filled in. */
export type Chosen = { readonly rule: string; readonly answer: Answer }

/** Longest piece of a tool result that an answer repeats, in UTF-16 units. */
const MAX_QUOTE = 400

/** The first rule that fits the request; calls of undeclared tools are never made. Total if the last rule fits all. */
export function choose(request: ChatRequest, rules: readonly Rule[]): Chosen {
  const seen = lookAt(request.messages)
  const fitting = rules.find((rule) => fits(rule, seen) && callable(rule.answer, request.callable))
  if (fitting === undefined) return { rule: 'none', answer: { text: 'I have nothing to say to that.', calls: [] } }
  const { text, calls } = fitting.answer
  return {
    rule: fitting.id,
    answer: { text: fill(text, seen.results), calls: request.parallel ? calls : calls.slice(0, 1) },
  }
}

function fits(rule: Rule, seen: Seen): boolean {
  const asked = rule.asks.length === 0 || rule.asks.some((phrase) => seen.question.includes(phrase))
  return (
    asked &&
    (rule.step === null || rule.step === seen.step) &&
    holds(seen.results, rule.result) &&
    holds(seen.history, rule.history)
  )
}

function holds(results: readonly Result[], pattern: RegExp | null): boolean {
  return pattern === null || results.some((result) => pattern.test(result.text))
}

function callable(answer: Answer, declared: readonly string[]): boolean {
  return answer.calls.every((call) => declared.includes(call.name))
}

function lookAt(messages: readonly JsonObject[]): Seen {
  const asked = messages.findLastIndex((message) => message.role === 'user')
  const since = messages.slice(asked + 1)
  const names = callNames(messages)
  const resultsOf = (list: readonly JsonObject[]): Result[] =>
    list
      .filter((message) => message.role === 'tool')
      .map((message) => ({ name: names.get(String(message.tool_call_id)) ?? '', text: textOf(message.content) }))
  return {
    question: textOf(messages[asked]?.content).toLowerCase(),
    step: since.filter((message) => message.role === 'assistant').length,
    results: resultsOf(since),
    history: resultsOf(messages),
  }
}

function callNames(messages: readonly JsonObject[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => (Array.isArray(message.tool_calls) ? message.tool_calls : []))
  return new Map(
    calls
      .filter(isObject)
      .map((call) => [String(call.id), isObject(call.function) ? String(call.function.name) : ''] as const),
  )
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('')
}

function fill(text: string, results: readonly Result[]): string {
  return text.replace(/\{result:([a-z_]+)\}/g, (_, name: string) => {
    const found = results.findLast((result) => result.name === name && !result.text.startsWith('sallyport: '))
    return found === undefined ? '(nothing)' : clip(found.text)
  })
}

function clip(text: string): string {
  const points = [...text]
  return points.length <= MAX_QUOTE ? text : `${points.slice(0, MAX_QUOTE).join('')}…`
}
