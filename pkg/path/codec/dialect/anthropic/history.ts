import type { History, HistoryCall, HistoryContent } from '#pkg/model'
import { asArray, asObject, asText, type Json, placedContent } from '#pkg/path/codec/wire/shape'
import { memberName } from './tools.ts'

/** Blocks that people and models write; what the provider ran itself shows in its result. */
const TEXTS = new Set(['text', 'thinking', 'redacted_thinking', 'server_tool_use', 'mcp_tool_use', 'tool_addition'])

/** Calls, results and documents of the conversation so far. */
export function historyOf(value: Json): History {
  const calls: HistoryCall[] = []
  const results: HistoryContent[] = []
  const documents: HistoryContent[] = []
  for (const [place, entry] of (asArray(value['messages']) ?? []).entries()) {
    for (const [at, item] of (asArray(asObject(entry)?.['content']) ?? []).entries()) {
      const block = asObject(item)
      const type = asText(block?.['type']) ?? ''
      if (block === null || TEXTS.has(type)) continue
      const member = `messages[${place}].content[${at}]`
      if (type === 'tool_use') pushCall(block, calls)
      else if (type.endsWith('tool_result')) {
        results.push(placedContent(block, member, { id: asText(block['tool_use_id']), names: ['content'] }))
      } else documents.push(placedContent(block, member))
    }
  }
  return { calls, results, documents }
}

function pushCall(block: Json, calls: HistoryCall[]): void {
  const name = asText(block['name'])
  const toolset = asText(block['toolset_name'])
  if (name === null) return
  const full = toolset === null ? name : memberName(toolset, name)
  calls.push({ id: asText(block['id']), name: full, form: 'json', arguments: block['input'] })
}
