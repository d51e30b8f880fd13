import { asText, type Json } from '#pkg/path/codec/wire/shape'

/** One transparent pixel: a computer call is answered by a picture, and there is none. */
const NO_PICTURE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

/**
 * The refusal as the call's own result, in the form that its kind of call has; null = this kind is not answered.
 * What has no place for a text is followed by a message that tells it.
 */
export function resultsOf(item: Json, text: string): readonly Json[] | null {
  const id = asText(item['call_id'])
  if (item['type'] === 'mcp_approval_request') {
    const request = asText(item['id'])
    if (request === null) return null
    return [{ type: 'mcp_approval_response', approval_request_id: request, approve: false, reason: text }]
  }
  if (id === null) return null
  const caller = item['caller'] === undefined || item['caller'] === null ? {} : { caller: item['caller'] }
  const told = { type: 'message', role: 'developer', content: text }
  switch (item['type']) {
    case 'function_call':
      return [{ type: 'function_call_output', call_id: id, ...caller, output: text }]
    case 'custom_tool_call':
      return [{ type: 'custom_tool_call_output', call_id: id, ...caller, output: text }]
    case 'local_shell_call':
      return [{ type: 'local_shell_call_output', id, output: text }]
    case 'shell_call': {
      const output = [{ stdout: '', stderr: text, outcome: { type: 'exit', exit_code: 1 } }]
      return [{ type: 'shell_call_output', call_id: id, ...caller, output }]
    }
    case 'apply_patch_call':
      return [{ type: 'apply_patch_call_output', call_id: id, ...caller, status: 'failed', output: text }]
    case 'computer_call': {
      const output = { type: 'computer_screenshot', image_url: NO_PICTURE }
      return [{ type: 'computer_call_output', call_id: id, output }, told]
    }
    case 'tool_search_call':
      return [{ type: 'tool_search_output', call_id: id, execution: 'client', status: 'completed', tools: [] }, told]
    default:
      return null
  }
}

/** What a result answers: its call's id. */
export function answeredBy(result: Json): string | null {
  return asText(result['call_id']) ?? asText(result['approval_request_id']) ?? asText(result['id'])
}
