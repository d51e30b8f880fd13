import type { Reason } from '#pkg/model'
import type { Hint } from './called-as.ts'

/** What a remedy may name. */
export type Where = {
  readonly tool: string | null
  readonly agent: string | null
  readonly rule: string | null
  readonly hint: Hint
}

type Remedy = (where: Where) => string

const tool = (where: Where): string => where.tool ?? 'TOOL'
const life = (where: Where): string => `see why: ${where.hint(`agents ${where.agent ?? 'NAME'}`)}`
const rule = (where: Where): string => (where.rule === null ? 'the rule' : where.rule)

const DENIED_INTENT: Remedy = (where) =>
  `if ${tool(where)} may do this: list the intent in spec.intents.allow, and in the "intents" of its tools.allow entry if it has any; an intents.deny entry wins over both`

const BY_REASON: Readonly<Partial<Record<Reason, Remedy>>> = {
  IDENTITY_TOKEN_UNKNOWN: (where) =>
    `give the SDK the agent's token as its API key: ${where.hint('agents NAME -o json')} shows it`,
  IDENTITY_AGENT_QUARANTINED: (where) =>
    `${life(where)}; to let it act again: ${where.hint(`release ${where.agent ?? 'NAME'} --reason WHY`)}; spec.state of its Agent file has to be Active`,
  IDENTITY_AGENT_SUSPENDED: (where) =>
    `${life(where)}; to let it act again: ${where.hint(`reinstate ${where.agent ?? 'NAME'} --reason WHY`)}; spec.state of its Agent file has to be Active`,
  IDENTITY_AGENT_TERMINATED: (where) =>
    `${life(where)}; it is final: a new agent may have its name after ${where.hint(`agents forget ${where.agent ?? 'NAME'} --reason WHY`)}`,
  IDENTITY_AGENT_PROVISIONED: (where) =>
    `its policy asks for a person (activation: Manual): ${where.hint(`release ${where.agent ?? 'NAME'} --reason WHY`)}`,
  IDENTITY_AGENT_INACTIVE: (where) => `ask again in a moment; ${life(where)}`,
  IDENTITY_EPOCH_STALE: () => 'ask again: the next request is judged by the rules that hold now',
  POLICY_NONE_SELECTS: () =>
    "write an AgentPolicy in the agent's namespace whose selector.matchLabels fits the Agent's labels",
  MODEL_NOT_GRANTED: () => 'list the model, or a trailing-* glob, in spec.llm.providers[].models',
  PROVIDER_NOT_GRANTED: () => 'list a provider of this type in spec.llm.providers',
  TOOL_HOSTED_NOT_GRANTED: () => 'list the hosted tool in spec.llm.providers[].hostedTools, or do not ask for it',
  TOOL_NOT_GRANTED: (where) =>
    `if the agent may use it: add { name: ${tool(where)} } to spec.tools.allow of a policy that selects the agent; an entry with a server grants it to a model only with execution: mcp`,
  TOOL_DENIED: (where) => `a deny wins over every allow: only the change of ${rule(where)} lets it through`,
  TOOL_IN_TEXT: () => 'nothing was refused; an agent that acts on tagged or fenced text needs spec.textTools',
  ARGUMENT_SCHEMA: (where) => `make the arguments fit the schema, or change it: ${rule(where)}`,
  ARGUMENT_RULE: (where) => `make the arguments keep the rule, or change it: ${rule(where)}`,
  INTENT_SQL_UNPARSABLE: () => 'send one statement of the Postgres grammar; what cannot be read is not let through',
  INTENT_SQL_TOO_LARGE: () => 'send a shorter statement, or raise the limit: start "up" with --limit sqlBytes=…',
  CHECK_TIMEOUT: () =>
    'ask again; if it stays so, the argument is too costly to judge: start "up" with --limit checkTimeoutMs=…',
  CHECK_FAILED: () => 'ask again; the log of the process says what failed',
  AUDIT_UNAVAILABLE: () => 'make room on the disk of the data folder, or repair its rights; the log says more',
  WIRE_ENDPOINT_UNKNOWN: () =>
    'give the client the base URL that the message names, or one of /openai/v1, /anthropic, /gemini, /mcp/NAME, /a2a/NAME; docs/reference/dialects.md lists what is served there',
  EGRESS_NOT_GRANTED: (where) =>
    where.rule === null || where.rule === 'egress'
      ? 'if the agent may reach the host: add an entry with it to spec.egress of a policy that selects the agent'
      : `if the agent may ask for this: widen ${where.rule}, or add an entry to spec.egress`,
  EGRESS_NOT_INSPECTABLE: () =>
    'ask for it as http:// where the host serves that; or let it pass uninspected with tls: Opaque in its entry of spec.egress',
  EGRESS_OWNED: () => 'ask the facade of the provider or tool server: there its calls are judged',
  EGRESS_ADDRESS_REFUSED: () =>
    'if this address is meant: start "up" with --egress-address HOST=ADDRESS, or name the address in spec.egress',
  EGRESS_ADDRESS_INVALID: () => 'write the host as its plain name or as a plain IP address, as the policy does',
  EGRESS_PATH_INVALID: () => 'write the path without dot or empty segments, and without escapes that it does not need',
  UPGRADE_NOT_GRANTED: () =>
    'if it may pass uninspected: list method, path and upgrade in "opaque" of its entry of spec.llm.providers',
  WIRE_REQUEST_MALFORMED: () => 'correct the request: it is not what this endpoint defines',
}

/** What to ask for, or to change, so that the same call gets another answer. */
export function remedyOf(reason: Reason | null, where: Where): string {
  if (reason === null) return 'nothing: it was let through'
  const own = BY_REASON[reason]
  if (own !== undefined) return own(where)
  if (reason.startsWith('INTENT_')) return DENIED_INTENT(where)
  if (/_TOO_LARGE$|_DEPTH$|_LIMIT$|_BOMB$/.test(reason))
    return 'make it smaller, or raise the cap: start "up" with --limit NAME=VALUE (docs/reference/limits.md)'
  return 'no policy can allow it: clients would read these bytes in different ways; whoever sends them has to send them otherwise'
}
