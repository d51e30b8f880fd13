import type { Command } from 'commander'
import type { Explanation, HostRequest } from '#pkg/faces/admin'
import {
  checkNumber,
  globMatches,
  grantSpeaksOf,
  type Reason,
  reasonRow,
  type Snapshot,
  type Source,
  type ToolGrant,
  type VerdictRecord,
} from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { type CallFile, readCallFile } from './call-file.ts'
import { shellWord } from './called-as.ts'
import type { Client } from './client.ts'
import { printable } from './escape.ts'
import type { Context, Globals } from './ports.ts'
import { remedyOf } from './remedies.ts'
import { agentNamed, connect, folderLeftBy, print, tellOffline } from './session.ts'

const VERDICT_ID = /^v_[A-Za-z0-9_-]{1,126}$/

/** What CALL.json may hold. */
const EXAMPLE = '{"name":"run_sql","arguments":{"query":"SELECT 1"}}'

/** `sallyctl policy explain VERDICT | AGENT CALL.json` */
export function definePolicyExplain(parent: Command, context: Context): void {
  parent
    .command('explain')
    .argument('<what>', 'id of a verdict; or an agent, NAME or NAMESPACE/NAME, with the file of a call')
    .argument('[file]', 'a call: {"name":"…","arguments":{…}}, or as OpenAI writes it; - = stdin; or an http(s) URL')
    .option('--method <method>', 'of the request to an http URL', 'GET')
    .description(
      'Say which rule decided a verdict, or would decide a call or a request to a host, and what would change it.',
    )
    .action(async (what: string, file: string | undefined, options: { readonly method: string }, command: Command) => {
      const globals = command.optsWithGlobals<Globals>()
      if (file === undefined) await explainVerdict(context, globals, what)
      else await explainNow(context, globals, what, await askedOf(context, file, options.method))
    })
}

async function explainVerdict(context: Context, globals: Globals, id: string): Promise<void> {
  if (!VERDICT_ID.test(id)) throw notAVerdict(context, id)
  const client = await connect(context, globals)
  const record = await verdictOf(context, client, id)
  const grants = await grantsOf(client, record)
  const remedy = remedyOf(record.reasons[0] ?? null, { ...record, hint: client.hint })
  const lines = [
    ['verdict', `${record.id}  ${record.time}`],
    ['agent', record.agent ?? 'unknown'],
    [
      'about',
      `${record.tool === null ? 'no tool' : `tool ${record.tool}`} (${record.dialect}, ${record.direction}), ${record.us} µs`,
    ],
    ...decisionLines(record),
    ...grants.map(({ policy, path }) => ['granted', `${policy} ${path}, by the rules of now`]),
    ['generation', `${record.generation}, epoch ${record.epoch}`],
    ['said', record.message || '-'],
    ['change', remedy],
  ]
  await print(context.deps, globals, { ...record, grants, remedy }, () => linesText(lines))
}

function notAVerdict(context: Context, what: string): SallyportError {
  const shown = printable(what.slice(0, 64))
  const example = `${context.program} policy explain ${shellWord(shown)} call.json`
  return new SallyportError(
    'USAGE',
    `"${shown}" is not the id of a verdict (v_…); for a call of an agent also give a file: "${example}", where call.json holds ${EXAMPLE}`,
  )
}

async function verdictOf(context: Context, client: Client, id: string): Promise<VerdictRecord> {
  try {
    return await client.get<VerdictRecord>(`/v1/verdicts/${id}`)
  } catch (error) {
    const folder = folderLeftBy(error, client)
    if (folder === null) throw error
    const { findVerdict, verdictFilesOf } = await import('./verdict-files.ts')
    const files = verdictFilesOf(folder)
    const newest = files.at(-1)
    if (newest === undefined) throw error
    tellOffline(context.deps, newest)
    const record = await findVerdict(files, id)
    if (record !== null) return record
    throw new SallyportError('ADMIN_NOT_FOUND', `no verdict "${id}" is in the files of ${folder}`)
  }
}

/**
 * The entries that grant the tool of an Allow today: a record does not say which of them carried it, and the rules may
 * have changed. None where nobody can be asked.
 */
async function grantsOf(client: Client, record: VerdictRecord): Promise<readonly Source[]> {
  const { action, agent, tool } = record
  // a record does not say which server was asked
  const speaks = (grant: ToolGrant): boolean => record.direction === 'ToTool' || grantSpeaksOf(grant, '')
  if (action !== 'Allow' || agent === null || tool === null) return []
  try {
    const { grants } = await client.get<Snapshot>(`/v1/agents/${agent}/policy`)
    return grants.filter((grant) => speaks(grant) && globMatches(grant.name, tool)).map((grant) => grant.source)
  } catch (error) {
    // the agent, or the process, may be gone
    if (error instanceof SallyportError && (error.code === 'ADMIN_NOT_FOUND' || error.code === 'UNREACHABLE')) return []
    throw error
  }
}

type Asked = { readonly call: CallFile } | { readonly request: HostRequest }

/** A URL is asked about as it stands, anything else is a file. An https URL is what a client asks for by CONNECT. */
async function askedOf(context: Context, file: string, method: string): Promise<Asked> {
  if (/^https?:\/\//i.test(file)) return { request: { method, url: file } }
  return { call: await readCallFile(context.deps, file) }
}

async function explainNow(context: Context, globals: Globals, name: string, asked: Asked): Promise<void> {
  const agent = agentNamed(name, globals)
  const client = await connect(context, globals)
  const found = await client.post<Explanation>('/v1/explain', { agent, ...asked })
  const remedy = remedyOf(found.reasons[0] ?? null, { ...found, hint: client.hint })
  const lines = [
    ['agent', found.agent],
    found.request == null
      ? ['tool', found.tool ?? '-']
      : [
          'request',
          `${/^https:/i.test(found.request.url) ? 'CONNECT for' : found.request.method} ${found.request.url}`,
        ],
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
