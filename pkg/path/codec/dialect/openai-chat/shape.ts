import type { HostedTool } from '#pkg/model'
import { asArray, asObject, asText, isEmpty, type Json } from '#pkg/path/codec/wire/shape'

/** All text of a `content` member: a string, or parts, without those that hold reasoning. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  let text = ''
  for (const part of asArray(content) ?? []) {
    const item = asObject(part)
    if (item === null) text += typeof part === 'string' ? part : ''
    else if (item['thinking'] !== undefined) continue
    else if (typeof item['text'] === 'string') text += item['text']
    else if (typeof item['refusal'] === 'string') text += item['refusal']
    else if (item['content'] !== undefined) text += textOf(item['content'])
  }
  return text
}

/**
 * Members of compatible providers and gateways by which a request is answered by another model or place than the one
 * that is judged, or by which something runs at the provider. Each counts as a hosted tool of its name.
 */
export const ELSEWHERE: readonly string[] = [
  ...['models', 'fallbacks', 'api_base', 'base_url', 'user_config', 'extra_body'],
  ...['plugins', 'search_parameters', 'search_settings', 'enable_search', 'compound_custom', 'mcp_servers'],
]

/** Those that a request has, and that are not switched off. */
export function elsewhereIn(value: Json): readonly HostedTool[] {
  const used = ELSEWHERE.filter((name) => !isEmpty(value[name]) && value[name] !== false)
  return used.map((name) => ({ name, serverUrl: null }))
}

/** The tools of a request: those that the client runs, and those that the provider runs. */
export function toolsOf(value: Json): { readonly tools: readonly string[]; readonly hosted: readonly HostedTool[] } {
  const tools: string[] = []
  const hosted: HostedTool[] = []
  for (const entry of asArray(value['tools']) ?? []) {
    const tool = asObject(entry)
    const type = asText(tool?.['type']) ?? 'function'
    const own = type === 'function' || type === 'custom' ? asText(asObject(tool?.[type])?.['name']) : null
    if (own !== null) tools.push(own)
    else if (type !== 'function' && type !== 'custom') {
      const asksAlways = tool?.['require_approval'] === 'always'
      hosted.push({ name: type, serverUrl: asText(tool?.['server_url']), asksAlways })
    }
  }
  for (const entry of asArray(value['functions']) ?? []) {
    const name = asText(asObject(entry)?.['name'])
    if (name !== null) tools.push(name)
  }
  if (!isEmpty(value['web_search_options']) || asObject(value['web_search_options']) !== null) {
    hosted.push({ name: 'web_search', serverUrl: null })
  }
  hosted.push(...elsewhereIn(value))
  return { tools, hosted }
}
