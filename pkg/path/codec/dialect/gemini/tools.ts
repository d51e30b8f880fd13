import type { HostedTool } from '#pkg/model'
import { asArray, asObject, asText, type Json } from '#pkg/path/codec/wire/shape'
import { member, present } from './names.ts'

/** What `computerUse` declares: the client runs it, call by call, and each is judged by its name. */
const COMPUTER_USE = [
  'open_web_browser',
  'wait_5_seconds',
  'go_back',
  'go_forward',
  'search',
  'navigate',
  'click_at',
  'hover_at',
  'type_text_at',
  'key_combination',
  'scroll_document',
  'scroll_at',
  'drag_and_drop',
] as const

/** The tools of a request: those that the client runs, and those that the provider runs. */
export type Tools = { readonly tools: readonly string[]; readonly hosted: readonly HostedTool[] }

/**
 * Reads `tools`, each under either name. Whatever is turned on and is not known to run at the client runs at the
 * provider, under its camel case name; what a cached content turns on nobody can see, so it counts as one.
 */
export function toolsOf(value: Json): Tools {
  const tools: string[] = []
  const hosted: HostedTool[] = []
  for (const entry of asArray(value['tools']) ?? []) {
    const tool = asObject(entry) ?? {}
    for (const key in tool) {
      if (!present(tool[key])) continue
      const name = camelOf(key)
      if (name === 'functionDeclarations') tools.push(...namesOf(tool[key]))
      else if (name === 'computerUse') tools.push(...computerUse(tool[key]))
      else if (name === 'mcpServers') hosted.push(...serversOf(tool[key]))
      else hosted.push({ name, serverUrl: null })
    }
  }
  if (present(member(value, 'cachedContent'))) hosted.push({ name: 'cachedContent', serverUrl: null })
  return { tools, hosted }
}

function camelOf(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function namesOf(declarations: unknown): readonly string[] {
  return (asArray(declarations) ?? [])
    .map((declaration) => asText(asObject(declaration)?.['name']))
    .filter((name) => name !== null)
}

function computerUse(value: unknown): readonly string[] {
  const without = asArray(member(asObject(value) ?? {}, 'excludedPredefinedFunctions')) ?? []
  return COMPUTER_USE.filter((name) => !without.includes(name))
}

/** One entry for each server; a shape that is not known is a server without a URL, which nothing grants. */
function serversOf(value: unknown): readonly HostedTool[] {
  const servers = asArray(value)
  if (servers === null || servers.length === 0) return [{ name: 'mcp', serverUrl: null }]
  return servers.map((server) => {
    const transport = asObject(member(asObject(server) ?? {}, 'streamableHttpTransport'))
    return { name: 'mcp', serverUrl: asText(transport?.['url']) }
  })
}
