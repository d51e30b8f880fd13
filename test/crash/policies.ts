/** Who works, and who is taken out: workers are refused a call, victims are severed for the same one. */

export const WORKERS: readonly string[] = Array.from({ length: 8 }, (_, at) => `worker-${at}`)
export const VICTIMS: readonly string[] = Array.from({ length: 12 }, (_, at) => `victim-${at}`)

const agentOf = (name: string, app: string): string => `apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: ${name}, namespace: crash, labels: { app: ${app} } }
spec: { state: Active }
`

const policyOf = (app: string, action: string): string => `apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: ${app}, namespace: crash }
spec:
  selector: { matchLabels: { app: ${app} } }
  role: ${app}
  llm:
    providers:
      - { name: openai, type: OpenAI, models: ["gpt-5*"] }
      - { name: anthropic, type: Anthropic, models: ["claude-*"] }
      - { name: gemini, type: Gemini, models: ["gemini-*"] }
  tools: { allow: [{ name: search_docs }, { name: run_sql, intents: [sql.read] }] }
  intents: { allow: [sql.read] }
  onViolation: { rules: [{ name: all, reasons: [INTENT_SQL_WRITE], action: ${action} }] }
`

/** File name → text. */
export const POLICIES: Readonly<Record<string, string>> = {
  'all.yaml': [
    ...WORKERS.map((name) => agentOf(name, 'worker')),
    ...VICTIMS.map((name) => agentOf(name, 'victim')),
    policyOf('worker', 'Deny'),
    policyOf('victim', 'Sever'),
  ].join('---\n'),
}
