import type { Command } from 'commander'
import type { Explanation } from '#pkg/faces/admin'
import { checkNumber, type Reason, reasonRow, type VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { readCallFile } from './call-file.ts'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { remedyOf } from './remedies.ts'
import { agentNamed, connect, print } from './session.ts'

const VERDICT_ID = /^[A-Za-z0-9_-]{1,128}$/

/** `sallyctl policy explain VERDICT | AGENT CALL.json` */
export function definePolicyExplain(parent: Command, context: Context): void {
  parent
    .command('explain')
    .argument('<what>', 'id of a verdict; or an agent, NAME or NAMESPACE/NAME, with the file of a call')
    .argument('[file]', 'a call: {"name":"…","arguments":{…}}, or as OpenAI writes it; - = stdin')
    .description('Say which rule decided a verdict, or would decide a call, and what would change it.')
    .action(async (what: string, file: string | undefined, _options, command: Command) => {
      const globals = command.optsWithGlobals<Globals>()
      await (file === undefined ? explainVerdict(context, globals, what) : explainCall(context, globals, what, file))
    })
}

async function explainVerdict(context: Context, globals: Globals, id: string): Promise<void> {
  if (!VERDICT_ID.test(id))
    throw new SallyportError(
      'USAGE',
      `"${printable(id.slice(0, 64))}" is not the id of a verdict; for a call give AGENT and CALL.json`,
    )
  const client = await connect(context, globals)
  const record = await client.get<VerdictRecord>(`/v1/verdicts/${id}`)
  const remedy = remedyOf(record.reasons[0] ?? null, record)
  const lines = [
    ['verdict', `${record.id}  ${record.time}`],
    ['agent', record.agent ?? 'unknown'],
    [
      'about',
      `${record.tool === null ? 'no tool' : `tool ${record.tool}`} (${record.dialect}, ${record.direction}), ${record.us} µs`,
    ],
    ...decisionLines(record),
    ['generation', `${record.generation}, epoch ${record.epoch}`],
    ['said', record.message || '-'],
    ['change', remedy],
  ]
  await print(context.deps, globals, { ...record, remedy }, () => linesText(lines))
}

async function explainCall(context: Context, globals: Globals, name: string, file: string): Promise<void> {
  const agent = agentNamed(name, globals)
  const call = await readCallFile(context.deps, file)
  const client = await connect(context, globals)
  const found = await client.post<Explanation>('/v1/explain', { agent, call })
  const remedy = remedyOf(found.reasons[0] ?? null, found)
  const lines = [
    ['agent', found.agent],
    ['tool', found.tool],
    ...decisionLines(found),
    ...found.findings.map((finding) => ['found', `${finding.reason} at byte ${finding.at}: ${finding.detail}`]),
    ['change', remedy],
  ]
  await print(context.deps, globals, { ...found, remedy }, () => linesText(lines))
}

function decisionLines(found: VerdictRecord | Explanation): readonly (readonly string[])[] {
  return [
    ['action', `${found.action}${found.enforced ? '' : ' (not carried out: mode Audit)'}`],
    ...found.reasons.map((reason) => ['reason', reasonText(reason)]),
    ['check', found.check === null ? '-' : `${found.check} (${checkNumber(found.check)} of 7)`],
    ['policy', found.policy ?? 'none had a say'],
    ['rule', found.rule ?? '-'],
  ]
}

/** A newer process may know reasons that this program does not. */
function reasonText(reason: Reason): string {
  const row: { readonly text: string } | undefined = reasonRow(reason)
  return row === undefined ? reason : `${reason}: ${row.text}`
}

function linesText(lines: readonly (readonly string[])[]): string {
  return lines.map(([name = '', text = '']) => `${name.padEnd(12)}${printable(text)}\n`).join('')
}
