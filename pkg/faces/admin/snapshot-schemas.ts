import {
  ACTIONS,
  type CallerGrant,
  type EgressGrant,
  type IntentRule,
  type PeerGrant,
  type ProviderGrant,
  SERVER_REQUESTS,
  type ServerGrant,
  type Snapshot,
  type Source,
  type TextTool,
  type ToolDeny,
  type ToolGrant,
  type ViolationRule,
} from '#pkg/model'
import * as s from './schema.ts'

const SOURCE = s.refTo('Source')
const NAMES = s.listOf(s.TEXT)
const REF = s.objectOf<{ namespace: string; name: string }>({ namespace: s.DNS_LABEL, name: s.DNS_LABEL })
const INTENT_RULES = s.listOf(s.objectOf<IntentRule>({ source: SOURCE, intent: s.TEXT }))

const TOOL_GRANT = s.objectOf<ToolGrant>({
  source: SOURCE,
  name: s.TEXT,
  server: s.TEXT,
  execution: s.oneOf(['local', 'output', 'mcp']),
  intents: s.orNull(NAMES),
  resultTrust: s.oneOf(['Trusted', 'Untrusted', 'Private']),
  schema: { ...s.ANY, description: 'A JSON Schema of the arguments, or null.' },
  rules: s.listOf(s.objectOf<ToolGrant['rules'][number]>({ name: s.TEXT, expression: s.TEXT, message: s.TEXT })),
})

const PROVIDER = s.objectOf<ProviderGrant>(
  {
    source: SOURCE,
    name: s.TEXT,
    type: s.oneOf(['OpenAI', 'Anthropic', 'Gemini', 'OpenAICompatible']),
    host: s.TEXT,
    models: NAMES,
    hostedTools: s.listOf(s.objectOf<ProviderGrant['hostedTools'][number]>({ name: s.TEXT, serverUrls: NAMES })),
    opaque: s.listOf(
      s.objectOf<ProviderGrant['opaque'][number]>({ method: s.TEXT, path: s.TEXT, upgrade: { const: 'websocket' } }),
    ),
  },
  ['host'],
)

const SERVER = s.objectOf<ServerGrant>(
  {
    source: SOURCE,
    name: s.TEXT,
    url: s.TEXT,
    onDrift: s.oneOf(['Record', 'Deny']),
    pin: s.orNull(s.TEXT),
    serverRequests: s.listOf(s.oneOf(SERVER_REQUESTS)),
    identity: { const: 'JwtSvid' },
  },
  ['identity'],
)

const EGRESS = s.objectOf<EgressGrant>({
  source: SOURCE,
  name: s.TEXT,
  hosts: NAMES,
  ports: s.listOf(s.COUNT),
  methods: NAMES,
  pathPrefixes: NAMES,
  tls: s.oneOf(['Inspect', 'Opaque']),
})

/** The rules that hold for one agent. */
export const SNAPSHOT_SCHEMAS: Readonly<Record<string, s.Schema>> = {
  Source: s.objectOf<Source>({ policy: s.TEXT, path: s.TEXT }),
  EffectivePolicy: s.objectOf<Snapshot>(
    {
      agent: s.AGENT,
      generation: s.COUNT,
      digest: s.TEXT,
      denyAll: s.BOOLEAN,
      role: s.TEXT,
      mode: s.oneOf(['Enforce', 'Audit']),
      labels: { type: 'object', additionalProperties: s.TEXT },
      policies: NAMES,
      requiredCapabilities: NAMES,
      grants: s.listOf(TOOL_GRANT),
      denies: s.listOf(s.objectOf<ToolDeny>({ source: SOURCE, name: s.TEXT, server: s.TEXT })),
      textTools: s.listOf(s.objectOf<TextTool>({ kind: s.oneOf(['fence', 'tag']), word: s.TEXT })),
      intents: s.objectOf<Snapshot['intents']>({ allow: INTENT_RULES, deny: INTENT_RULES }),
      providers: s.listOf(PROVIDER),
      servers: s.listOf(SERVER),
      peers: s.listOf(s.objectOf<PeerGrant>({ source: SOURCE, name: s.TEXT, agent: REF, url: s.TEXT, skills: NAMES })),
      callers: s.listOf(s.objectOf<CallerGrant>({ source: SOURCE, name: s.TEXT, agent: REF })),
      egress: s.listOf(EGRESS),
      workloadApi: s.oneOf(['Open']),
      onViolation: s.objectOf<Snapshot['onViolation']>({
        action: s.oneOf(ACTIONS),
        rules: s.listOf(
          s.objectOf<ViolationRule>({ source: SOURCE, name: s.TEXT, reasons: NAMES, action: s.oneOf(ACTIONS) }),
        ),
      }),
    },
    ['workloadApi'],
  ),
}
