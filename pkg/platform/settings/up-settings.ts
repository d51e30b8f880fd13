import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { DEFAULT_LIMITS, DEFAULT_TRUST_DOMAIN, type Limits } from '#pkg/model'
import { LOG_LEVELS, type LogLevel } from '#pkg/platform/log'
import {
  agentPaths,
  agentUrls,
  choice,
  exactUrls,
  flag,
  hostAddresses,
  named,
  namedUrls,
  type Parsed,
  port,
  readBytes,
  readCount,
  readDuration,
  secret,
  text,
  trustDomain,
} from './kinds.ts'
import { nearest } from './nearest.ts'
import type { Env } from './process-env.ts'
import type { SettingsOf } from './read-settings.ts'

/** The settings of `sallyctl up`. DESIGN §8, "black box". */
export const upSettings = {
  policies: text<string | null>(
    { flag: 'policies', env: 'SALLYPORT_POLICIES', default: null, doc: 'Folder of AgentPolicy and Agent files.' },
    'DIR',
  ),
  dataDir: dataDirSetting(),
  port: port({
    flag: 'port',
    env: 'SALLYPORT_PORT',
    default: 16_080,
    doc: 'Port of the provider facade on loopback; 0 = a free one.',
  }),
  adminPort: port({
    flag: 'admin-port',
    env: 'SALLYPORT_ADMIN_PORT',
    default: 17_446,
    doc: 'Port of the admin API on loopback; 0 = a free one.',
  }),
  upstreams: namedUrls(
    {
      flag: 'upstream',
      env: 'SALLYPORT_UPSTREAM',
      default: {
        openai: 'https://api.openai.com/v1',
        anthropic: 'https://api.anthropic.com',
        gemini: 'https://generativelanguage.googleapis.com',
      },
      doc: "Base URL of a provider, as that provider's SDK would take it; OpenAI's ends in /v1. openai-compatible: default is the host of the policy's entry.",
    },
    ['openai', 'anthropic', 'gemini', 'openai-compatible'],
  ),
  mcp: exactUrls({
    flag: 'mcp',
    env: 'SALLYPORT_MCP',
    default: {},
    doc: 'Address of an MCP server, in the place of the url of the mcp.servers entries of that name; it grants nothing.',
  }),
  a2a: exactUrls({
    flag: 'a2a',
    env: 'SALLYPORT_A2A',
    default: {},
    doc: 'Address of another agent, in the place of the url of the a2a.outbound entries of that name; it grants nothing.',
  }),
  trustDomain: trustDomain({
    flag: 'trust-domain',
    env: 'SALLYPORT_TRUST_DOMAIN',
    default: DEFAULT_TRUST_DOMAIN,
    doc: 'Trust domain of the SPIFFE IDs of agents. It stays with the keys in the data folder.',
  }),
  a2aServer: agentUrls({
    flag: 'a2a-server',
    env: 'SALLYPORT_A2A_SERVER',
    default: {},
    doc: "Address of an agent's own A2A server, by NAMESPACE/NAME: those of its a2a.inbound reach it at /agents/NAMESPACE/NAME/a2a, with a proof of who they are.",
  }),
  workloadSockets: agentPaths({
    flag: 'workload-socket',
    env: 'SALLYPORT_WORKLOAD_SOCKET',
    default: {},
    doc: 'Unix socket (0600) on which an agent is served the SPIFFE Workload API, if its policy says pod.workloadApi: Open; without a name the only agent.',
  }),
  upstreamHttp2: flag({
    flag: 'upstream-http2',
    env: 'SALLYPORT_UPSTREAM_HTTP2',
    default: false,
    doc: 'HTTP/2 with providers whose TLS chooses it: fewer connections and less work where many answers stream at once.',
  }),
  simulate: flag({
    flag: 'simulate',
    env: 'SALLYPORT_SIMULATE',
    default: false,
    doc: 'A simulated provider in the place of all of them; no key is sent anywhere.',
  }),
  egressAddresses: hostAddresses({
    flag: 'egress-address',
    env: 'SALLYPORT_EGRESS_ADDRESS',
    default: {},
    doc: 'Addresses of an egress host, in the place of what DNS says; they may be private. It grants nothing.',
  }),
  output: choice<'text' | 'json'>(
    {
      flag: 'output',
      env: 'SALLYPORT_OUTPUT',
      default: 'text',
      doc: 'With json, the first line on stdout says that everything listens.',
    },
    ['text', 'json'],
  ),
  limits: named<number, Limits>(
    {
      flag: 'limit',
      env: 'SALLYPORT_LIMIT',
      default: DEFAULT_LIMITS,
      doc: 'One cap of the path, such as argumentBytes=256KiB or checkTimeoutMs=50ms.',
    },
    'NAME=VALUE',
    readLimit,
  ),
  logLevel: choice<LogLevel>(
    {
      flag: 'log-level',
      env: 'SALLYPORT_LOG_LEVEL',
      default: 'info',
      doc: 'The quietest log lines that still go to stderr.',
    },
    LOG_LEVELS,
  ),
  openaiKey: secret({
    env: 'OPENAI_API_KEY',
    doc: 'Key sent to the provider openai; unset = requests go without a key.',
  }),
  openaiCompatibleKey: secret({
    env: 'OPENAI_COMPATIBLE_API_KEY',
    doc: 'Key sent to the address of --upstream openai-compatible=URL, and to no other; unset = requests go without a key.',
  }),
  anthropicKey: secret({
    env: 'ANTHROPIC_API_KEY',
    doc: 'Key sent to the provider anthropic; unset = requests go without a key.',
  }),
  geminiKey: secret({
    env: 'GEMINI_API_KEY',
    doc: 'Key sent to the provider gemini; unset = requests go without a key.',
  }),
} as const

/** What `sallyctl up` runs with. */
export type UpSettings = SettingsOf<typeof upSettings>

/** The data folder alone, for the verbs that look for a running process. */
export function dataDirSetting() {
  return text<string>(
    {
      flag: 'data',
      env: 'SALLYPORT_DATA',
      default: defaultDataDir,
      doc: 'Folder of tokens, lifecycle state and verdicts. Default $XDG_DATA_HOME/sallyport, else ~/.local/share/sallyport.',
    },
    'DIR',
  )
}

/** `$XDG_DATA_HOME/sallyport` (a relative value does not count, as the XDG rules say), else `~/.local/share/sallyport`. */
export function defaultDataDir(env: Env): string {
  const xdg = env['XDG_DATA_HOME'] ?? ''
  if (isAbsolute(xdg)) return join(xdg, 'sallyport')
  const home = env['HOME'] ?? ''
  return join(isAbsolute(home) ? home : homedir(), '.local', 'share', 'sallyport')
}

/** One `name=value` of a limit; the name's ending says its unit. */
function readLimit(name: string, given: string): Parsed<number> {
  if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
    const near = nearest(name, Object.keys(DEFAULT_LIMITS))
    return { ok: false, message: `is not a limit${near === null ? '' : `; did you mean ${near}?`}` }
  }
  if (name.endsWith('Ms')) return readDuration(given)
  return name.includes('Bytes') || name.endsWith('bytes') ? readBytes(given) : readCount(given)
}
