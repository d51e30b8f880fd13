import type { HostedTool } from '#pkg/model'
import { elsewhereIn } from '#pkg/path/codec/dialect/openai-chat'
import { asArray, asObject, asText, type Json } from '#pkg/path/codec/wire/shape'

/** Tools of a request by who runs them: the client, or the provider. */
export type Tools = { readonly tools: string[]; readonly hosted: HostedTool[] }

/** Tools that the client runs, although the provider defines them: declared under their type. */
const CLIENT_RUN = new Set(['local_shell', 'apply_patch', 'computer', 'computer_use_preview'])

/**
 * The tools of a request: those of `tools`, and those that items of the input bring along. A prompt template of the
 * provider's may hold any tool, and counts as a hosted one.
 */
export function toolsOf(value: Json): Tools {
  const found: Tools = { tools: [], hosted: [] }
  add(value['tools'], '', found)
  for (const entry of asArray(value['input']) ?? []) {
    const item = asObject(entry)
    if (item?.['tools'] !== undefined && item['type'] !== 'mcp_list_tools') add(item['tools'], '', found)
  }
  const prompt = value['prompt']
  if (prompt !== undefined && prompt !== null) found.hosted.push({ name: 'prompt', serverUrl: null })
  found.hosted.push(...elsewhereIn(value))
  return found
}

function add(list: unknown, space: string, found: Tools): void {
  for (const entry of asArray(list) ?? []) {
    const tool = asObject(entry)
    if (tool === null) continue
    const type = asText(tool['type']) ?? 'function'
    const name = asText(tool['name'])
    if (type === 'function' || type === 'custom') {
      if (name !== null) found.tools.push(space === '' ? name : `${space}.${name}`)
    } else if (type === 'namespace') add(tool['tools'], name ?? '', found)
    else if (isClientRun(type, tool)) found.tools.push(type)
    else if (type === 'mcp') {
      found.hosted.push({ name: type, serverUrl: serverOf(tool), asksAlways: tool['require_approval'] === 'always' })
    } else found.hosted.push({ name: type, serverUrl: null })
  }
}

function isClientRun(type: string, tool: Json): boolean {
  if (CLIENT_RUN.has(type)) return true
  if (type === 'tool_search') return tool['execution'] === 'client'
  if (type !== 'shell') return false
  const place = tool['environment']
  return place === undefined || place === null || asObject(place)?.['type'] === 'local'
}

/** The server of a hosted MCP tool; null where it is named in another way (a connector, a tunnel) or in two. */
function serverOf(tool: Json): string | null {
  const others = ['connector_id', 'tunnel_id'].some((key) => tool[key] !== undefined && tool[key] !== null)
  return others ? null : asText(tool['server_url'])
}
