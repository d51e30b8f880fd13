import type { Action, AgentKey, Check, Finding, Reason } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { noAgent } from './agents.ts'
import { sendJson } from './answers.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './call.ts'
import type { AdminSource } from './ports.ts'
import { readAgent, readQuery } from './query.ts'
import { AGENT, ANY, objectOf, refTo, TEXT } from './schema.ts'

/** A request to another host, as it is asked about. */
export type HostRequest = { readonly method: string; readonly url: string }

/** Which rule would decide a call. It has no id: nothing was judged in earnest, so there is nothing to find. */
export type Explanation = {
  readonly agent: string
  /** null for a request to another host. */
  readonly tool: string | null
  /** null for a call. */
  readonly request: HostRequest | null
  readonly action: Action
  readonly enforced: boolean
  readonly reasons: readonly Reason[]
  readonly check: Check | null
  /** Of the rule that decided; for an Allow of the entry that grants the call. */
  readonly policy: string | null
  readonly rule: string | null
  readonly findings: readonly Finding[]
}

/** What `POST /v1/explain` is asked: `{"agent":"ns/name","call":{"name","arguments"}}`, or `"request":{"method","url"}`. */
export type ExplainAsk = { readonly agent: AgentKey } & (
  | { readonly call: { readonly name: string; readonly arguments: unknown }; readonly request: null }
  | { readonly call: null; readonly request: HostRequest }
)

/** What would be decided. */
export const EXPLAIN_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/explain',
    answer: explain,
    doc: {
      operation: 'explain',
      tag: 'verdicts',
      summary: 'Which rule would decide a call, or a request to another host, now.',
      details: 'Nothing is written down or carried out. `arguments` may be the text that a model wrote.',
      body: {
        oneOf: [
          objectOf<{ agent: string; call: object }>({
            agent: AGENT,
            call: objectOf<{ name: string; arguments?: unknown }>(
              { name: { type: 'string', minLength: 1 }, arguments: ANY },
              ['arguments'],
            ),
          }),
          objectOf<{ agent: string; request: HostRequest }>({
            agent: AGENT,
            request: objectOf<HostRequest>({ method: TEXT, url: TEXT }),
          }),
        ],
      },
      answers: { 200: { what: 'What would be decided.', schema: refTo('Explanation') } },
      faults: ['ADMIN_NOT_FOUND'],
    },
  },
]

async function explain({ deps, request, response, query }: Call): Promise<void> {
  readQuery(query, [])
  const asked = readExplainAsk(await readJson(request, deps.limits.maxBodyBytes))
  if (deps.source.effective(asked.agent) === null) throw noAgent(deps.source, asked.agent)
  const found =
    asked.call === null
      ? deps.source.explainHost(asked.agent, asked.request)
      : await deps.source.explainCall(asked.agent, asked.call)
  sendJson(response, 200, explanationOf(asked, found))
}

/** @throws SallyportError USAGE for another shape. */
function readExplainAsk(body: unknown): ExplainAsk {
  const about = hostRequestOf(body)
  if (about !== null) return about
  const asked = fieldsOf(body, ['agent', 'call'])
  const call = asked === null ? null : fieldsOf(asked['call'], ['name', 'arguments'])
  const name = call?.['name']
  if (asked === null || call === null || typeof asked['agent'] !== 'string' || typeof name !== 'string' || name === '')
    throw new SallyportError(
      'USAGE',
      'the body must be {"agent":"namespace/name","call":{"name":"…","arguments":{…}}}, or have "request":{"method":"…","url":"…"} in the place of the call',
    )
  return { agent: readAgent(asked['agent']), call: { name, arguments: call['arguments'] ?? {} }, request: null }
}

function hostRequestOf(body: unknown): ExplainAsk | null {
  const asked = fieldsOf(body, ['agent', 'request'])
  const request = asked === null ? null : fieldsOf(asked['request'], ['method', 'url'])
  if (asked === null || request === null || typeof asked['agent'] !== 'string') return null
  const { method, url } = request
  if (typeof method !== 'string' || typeof url !== 'string') return null
  return { agent: readAgent(asked['agent']), call: null, request: { method, url } }
}

/** The answer that a verdict of the plane becomes. */
function explanationOf(asked: ExplainAsk, verdict: Awaited<ReturnType<AdminSource['explainCall']>>): Explanation {
  const granted = verdict.granted ?? null
  return {
    agent: asked.agent,
    tool: asked.call?.name ?? null,
    request: asked.request,
    action: verdict.action,
    enforced: verdict.enforced,
    reasons: [...new Set(verdict.findings.map((finding) => finding.reason))],
    check: verdict.check,
    policy: verdict.policy ?? granted?.policy ?? null,
    rule: verdict.rule ?? granted?.path ?? null,
    findings: verdict.findings,
  }
}

/** The fields of an object that has no others, or null. */
function fieldsOf(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const fields = new Map(Object.entries(value))
  for (const name of fields.keys()) if (!names.includes(name)) return null
  return Object.fromEntries(fields)
}
