import {
  DEFAULT_LIMITS,
  type Finding,
  type Limits,
  NO_HISTORY,
  type RequestView,
  type Snapshot,
  type Standing,
  type ToolGrant,
} from '#pkg/model'
import { newJsonScanner } from '#pkg/path/codec/wire/json'
import { newFirewall, type SqlIntent, type SqlReader, type SqlReading } from './index.ts'

/** Reads the few statements of the tests: by first words, every statement for itself. */
export const fakeSql: SqlReader & { readonly asked: string[] } = {
  asked: [],
  async read(sql) {
    fakeSql.asked.push(sql)
    if (sql.length > 16_384)
      return { ok: false, reason: 'INTENT_SQL_TOO_LARGE', detail: 'has SQL of more than 16384 bytes' }
    return readFake(sql)
  },
  follow() {
    let word = ''
    let fixed = false
    let at = 0
    return {
      push(text) {
        let seen = null
        for (const unit of text) {
          if (/[A-Za-z]/.test(unit)) word += unit
          else if (word !== '' && !fixed) {
            fixed = true
            const intent = intentOf(word)
            if (intent !== null && intent !== 'sql.read') seen ??= { intent, at, detail: word.toUpperCase() }
          }
          if (unit === ';') [word, fixed] = ['', false]
          at += unit.length
        }
        return seen
      },
    }
  },
}

function intentOf(word: string): 'sql.read' | 'sql.write' | 'sql.ddl' | null {
  if (/^(select|table|with|explain)$/i.test(word)) return 'sql.read'
  if (/^(insert|update|delete|truncate)$/i.test(word)) return 'sql.write'
  return /^(drop|create|alter|grant)$/i.test(word) ? 'sql.ddl' : null
}

function readFake(sql: string): SqlReading {
  const intents: SqlIntent[] = []
  const statements = sql
    .replace(/\/\*.*?\*\/|--.*/g, ' ')
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  for (const one of statements) {
    const intent = intentOf(/^[a-z]+/i.exec(one)?.[0] ?? '')
    const fits = /^(select (\d+$|.+ from \w+)|table \w+$|drop table|delete from|insert into|create table)/i.test(one)
    if (intent === null || !fits)
      return { ok: false, reason: 'INTENT_SQL_UNPARSABLE', detail: 'has SQL that does not parse' }
    intents.push(intent)
  }
  const bareExpression = statements.every((one) => /^select \d+$/i.test(one))
  return { ok: true, intents, statements: statements.length, bareExpression, detail: 'seen by the fake' }
}

const SOURCE = 'growth/marketing'

/** One entry of `tools.allow`. */
export function grant(name: string, more: Partial<ToolGrant> = {}): ToolGrant {
  const path = `tools.allow[${name}]`
  return {
    source: { policy: SOURCE, path },
    name,
    server: '',
    execution: 'local',
    intents: null,
    resultTrust: 'Untrusted',
    schema: null,
    rules: [],
    ...more,
  }
}

/** The snapshot of the marketing agent of POLICY.md, more or less. */
export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  const rule = (path: string) => (intent: string) => ({ source: { policy: SOURCE, path }, intent })
  return {
    agent: 'growth/marketing' as Snapshot['agent'], // branded by the model only
    generation: 1,
    digest: 'sha256:0',
    denyAll: false,
    role: 'marketing',
    mode: 'Enforce',
    labels: {},
    policies: [SOURCE],
    requiredCapabilities: [],
    grants: [grant('search_docs'), grant('run_sql', { intents: ['sql.read'] })],
    denies: [{ source: { policy: SOURCE, path: 'tools.deny[admin_*]' }, name: 'admin_*', server: '' }],
    textTools: [],
    intents: {
      allow: ['sql.read', 'mail.send'].map(rule('intents.allow')),
      deny: ['sql.ddl', 'money.*'].map(rule('intents.deny')),
    },
    servers: [],
    peers: [],
    callers: [],
    egress: [],
    providers: [
      {
        source: { policy: SOURCE, path: 'llm.providers[openai]' },
        name: 'openai',
        type: 'OpenAI',
        models: ['gpt-5*'],
        hostedTools: [
          { name: 'web_search*', serverUrls: [] },
          { name: 'mcp', serverUrls: ['https://mcp.example/a'] },
        ],
        opaque: [],
      },
    ],
    onViolation: { action: 'Deny', rules: [] },
    ...more,
  }
}

/** A chat request. */
export function view(more: Partial<RequestView> = {}): RequestView {
  return {
    endpoint: { name: 'chat.completions', method: 'POST', path: '/chat/completions', kind: 'judged' },
    provider: 'OpenAI',
    body: new Uint8Array(0),
    value: {},
    model: 'gpt-5-mini',
    modelless: false,
    stream: true,
    tools: ['search_docs', 'run_sql'],
    hostedTools: [],
    structuredOutput: false,
    history: NO_HISTORY,
    ...more,
  }
}

/** An agent in good standing. */
export const ACTIVE: Standing = { agent: 'growth/marketing' as Standing['agent'], state: 'Active', epoch: 0, holds: [] } // branded by the model only

export const agent = { namespace: 'growth', name: 'marketing' }

/** A firewall on the fake grammar and the real tokenizer. */
export function firewall(limits: Partial<Limits> = {}) {
  return newFirewall({ sql: fakeSql, newJson: newJsonScanner }, { ...DEFAULT_LIMITS, ...limits })
}

/** Judges one call whose arguments come in these pieces; the first findings, as the gate would see them. */
export async function judge(given: {
  readonly rules: Snapshot
  readonly name: string
  readonly pieces: readonly string[]
  readonly form?: 'json' | 'text'
  readonly limits?: Partial<Limits>
}): Promise<readonly Finding[]> {
  const own = firewall(given.limits)
  const inspection = own.inspect(own.load(given.rules), { view: view(), agent, standing: ACTIVE })
  const opened = inspection.callOpen('c', given.name, given.form ?? 'json')
  if (opened.length > 0) return opened
  for (const piece of given.pieces) {
    const found = inspection.callDelta('c', piece)
    if (found.length > 0) return found
  }
  return inspection.callClose('c')
}

/** Cuts of a text: whole, unit by unit, and at every place in two. */
export function cuts(text: string): readonly (readonly string[])[] {
  const pairs = Array.from({ length: Math.max(text.length - 1, 0) }, (_, index) => [
    text.slice(0, index + 1),
    text.slice(index + 1),
  ])
  return [[text], text.split(''), ...pairs]
}
