import type { HostedTool } from '#pkg/model'
import { asArray, asObject, asText, isEmpty, type Json } from '#pkg/path/codec/wire/shape'

/** The tools of a request: those that the client runs, and those that the provider runs. */
export type Tools = { readonly tools: readonly string[]; readonly hosted: readonly HostedTool[] }

/** Tools with a schema of Anthropic's own that the *client* runs; each `type` ends in a date. */
const CLIENT_TYPE = /^(?:bash|text_editor|computer|memory)_\d{8}$/

/** Families of tools that the client runs, without a name of their own: `computer_toolset_20260801`. */
const TOOLSET_TYPE = /^([a-z]+)_toolset_\d{8}$/
const CLIENT_TOOLSETS = new Set(['browser', 'computer'])

/** The name under which a call of a toolset is judged: `browser.navigate`. */
export function memberName(toolset: string, member: string): string {
  return `${toolset}.${member}`
}

/** Which tools a request declares, and which features it turns on that the provider runs by itself. */
export function toolsOf(value: Json): Tools {
  const tools: string[] = []
  const hosted: HostedTool[] = []
  const servers = serversOf(value)
  for (const serverUrl of servers.values()) hosted.push({ name: 'mcp', serverUrl })
  for (const tool of [...(asArray(value['tools']) ?? []), ...addedLater(value)]) {
    sortTool(asObject(tool) ?? {}, servers, tools, hosted)
  }
  if (!isEmpty(value['fallbacks'])) hosted.push({ name: 'fallbacks', serverUrl: null })
  if (!isEmpty(asObject(value['container'])?.['skills'])) hosted.push({ name: 'skills', serverUrl: null })
  return { tools, hosted }
}

/** MCP servers by name; one without a URL has null, which no grant opens. */
function serversOf(value: Json): ReadonlyMap<string, string | null> {
  const servers = new Map<string, string | null>()
  for (const [position, entry] of (asArray(value['mcp_servers']) ?? []).entries()) {
    const server = asObject(entry)
    const name = asText(server?.['name']) ?? `#${position}`
    servers.set(servers.has(name) ? `${name}#${position}` : name, asText(server?.['url']))
  }
  return servers
}

function sortTool(
  tool: Json,
  servers: ReadonlyMap<string, string | null>,
  tools: string[],
  hosted: HostedTool[],
): void {
  const type = asText(tool['type']) ?? 'custom'
  const name = asText(tool['name'])
  const toolset = TOOLSET_TYPE.exec(type)?.[1] ?? ''
  if (type === 'custom' || CLIENT_TYPE.test(type)) {
    if (name !== null) tools.push(name)
  } else if (CLIENT_TOOLSETS.has(toolset)) tools.push(toolset)
  else if (type === 'mcp_toolset') {
    // its server is hosted already; one that is not declared here is known to the provider alone
    if (!servers.has(asText(tool['mcp_server_name']) ?? '')) hosted.push({ name: 'mcp', serverUrl: null })
  } else hosted.push({ name: type.replace(/_\d{8}$/, ''), serverUrl: null })
}

/** Tools that a message of the conversation adds. */
function* addedLater(value: Json): Iterable<unknown> {
  for (const block of blocksOf(value)) {
    const added = block['type'] === 'tool_addition' ? asObject(block['tool']) : null
    if (added === null || added['type'] === 'tool_reference') continue
    if (added['type'] === 'tool_definition') yield added['definition']
    else yield { type: 'mcp_toolset', mcp_server_name: added['server_name'] }
  }
}

/** Every block of every message. */
function* blocksOf(value: Json): Iterable<Json> {
  for (const entry of asArray(value['messages']) ?? []) {
    for (const item of asArray(asObject(entry)?.['content']) ?? []) {
      const block = asObject(item)
      if (block !== null) yield block
    }
  }
}
