import { SERVER_REQUESTS, type ServerGrant, type ServerRequest } from '#pkg/model'
import type { AgentPolicy } from '#pkg/model/api'
import type { FieldPath, Resource } from '#pkg/platform/resources'
import type { Report } from './contract.ts'

/** A name that stands in a path as it is. */
const SERVER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Reports what is wrong with `mcp.servers`, and with the servers that entries of `tools` name. */
export function checkServers(spec: AgentPolicy['spec'], report: Report): void {
  for (const [index, server] of (spec.mcp?.servers ?? []).entries()) {
    const at: FieldPath = ['spec', 'mcp', 'servers', index]
    checkName(server.name, [...at, 'name'], report)
    const wrong = faultOfUrl(server.url)
    if (wrong !== null) report([...at, 'url'], 'Invalid', `"url" ${wrong}`)
    for (const [place, request] of (server.serverRequests ?? []).entries()) {
      if (requestOf(request) !== null) continue
      const known = `known: ${SERVER_REQUESTS.join(', ')}`
      report([...at, 'serverRequests', place], 'Invalid', `"${request}" is nothing that a server asks for; ${known}`)
    }
  }
  for (const list of ['allow', 'deny'] as const) {
    for (const [index, { server = '' }] of (spec.tools?.[list] ?? []).entries()) {
      if (server !== '') checkName(server, ['spec', 'tools', list, index, 'server'], report)
    }
  }
}

function checkName(name: string, path: FieldPath, report: Report): void {
  if (isPathName(name)) return
  report(path, 'Invalid', `"${name}" is no name of a server: letters, digits, ".", "_" and "-", not "." first`)
}

/** Stands in a path of the facade as it is. */
export function isPathName(name: string): boolean {
  return SERVER_NAME.test(name)
}

/** What is wrong with the address of a server or a peer; null = nothing. */
export function faultOfUrl(text: string, example = 'https://tools.example/mcp'): string | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return `is not a URL such as ${example}`
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password'
  return text.includes('?') || text.includes('#') ? 'must not hold a query or a fragment' : null
}

/** `sampling`, or the whole method `sampling/createMessage`. */
function requestOf(text: string): ServerRequest | null {
  const found = SERVER_REQUESTS.find((word) => text === word || text === METHODS[word])
  return found ?? null
}

const METHODS: Readonly<Record<ServerRequest, string>> = {
  sampling: 'sampling/createMessage',
  elicitation: 'elicitation/create',
  roots: 'roots/list',
}

/** The servers of a policy without faults. */
export function serversOf(resource: Resource<AgentPolicy>): readonly ServerGrant[] {
  return (resource.value.spec.mcp?.servers ?? []).map((server, index) => ({
    source: { policy: resource.key, path: `mcp.servers[${index}]` },
    name: server.name,
    url: server.url,
    onDrift: server.onDrift === 'Record' ? 'Record' : 'Deny', // Hold was refused before
    pin: server.pin ?? null,
    ...(server.identity === 'JwtSvid' ? { identity: 'JwtSvid' as const } : {}),
    serverRequests: (server.serverRequests ?? []).map(requestOf).filter((request) => request !== null),
  }))
}
