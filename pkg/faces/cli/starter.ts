import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '#pkg/model/errors'
import { makeFolder, whyNot } from '#pkg/platform/files'

/** A folder of policies, and the files that were made for it just now. */
export type PolicyFolder = { readonly dir: string; readonly made: readonly string[] }

const AGENT = `# The agent of the starter policy. To stop it by hand: spec: { state: Quarantined, reason: … }
apiVersion: sallyport.dev/v1alpha1
kind: Agent
metadata: { name: agent, namespace: default, labels: { app: agent } }
spec: { state: Active }
`

const POLICY = `# The starter: every tool by name, all models, and SQL that only reads. A call whose arguments show another effect
# (SQL that writes or drops, …) is refused. "sallyctl policy suggest agent" makes a narrower one from what was seen.
apiVersion: sallyport.dev/v1alpha1
kind: AgentPolicy
metadata: { name: starter, namespace: default }
spec:
  selector: { matchLabels: { app: agent } }
  role: agent
  llm:
    providers:
      - { name: openai, type: OpenAI, models: ["*"] }
      - { name: anthropic, type: Anthropic, models: ["*"] }
      - { name: gemini, type: Gemini, models: ["*"] }
  intents: { allow: [sql.read] }
  tools:
    allow:
      - { name: "*" }
`

const FILES: readonly (readonly [name: string, text: string])[] = [
  ['agent.yaml', AGENT],
  ['policy.yaml', POLICY],
]

/** Where policies are when nobody says so: inside the data folder. */
export function starterFolderOf(dataDir: string): string {
  return join(dataDir, 'policies')
}

/**
 * The folder of policies for a process that was given none: made with a starter policy when it is not there, and left
 * as it is when it is, even if it is empty.
 * @throws SallyportError STATE_UNAVAILABLE when it cannot be made.
 */
export function ensureStarter(dataDir: string): PolicyFolder {
  const dir = starterFolderOf(dataDir)
  if (existsSync(dir)) return { dir, made: [] }
  const draft = `${dir}.new` // half a starter would be taken for a person's own folder at the next start
  try {
    rmSync(draft, { recursive: true, force: true })
    makeFolder(draft)
    for (const [name, text] of FILES) writeFileSync(join(draft, name), text, { flag: 'wx', mode: 0o600 })
    renameSync(draft, dir)
    return { dir, made: FILES.map(([name]) => join(dir, name)) }
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true })
    const words = `the starter policies cannot be made in ${dir}: ${whyNot(cause, dir)}`
    throw new SallyportError('STATE_UNAVAILABLE', words, { cause })
  }
}
