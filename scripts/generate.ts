/**
 * Makes what is made: API types and schemas from `crds/`, reference pages from the tables in the code.
 *
 *   node scripts/generate.ts           writes
 *   node scripts/generate.ts --check   exit 1 and the names of the files that are not up to date
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adminOpenApi } from '#pkg/faces/admin'
import { DEFAULT_LIMITS, REASONS, taxonomyOf } from '#pkg/model'
import { DIALECT_RULES, DIALECTS } from '../test/dialects.ts'
import { generatedApi } from './generate-api.ts'
import { auditExportPage, taxonomyPage } from './generate-audit.ts'
import { metricsPage } from './generate-metrics.ts'
import { generatedProto } from './generate-proto.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function reasonsPage(): string {
  const rows = Object.entries(REASONS).map(
    ([code, { check, scope, text }]) =>
      `| \`${code}\` | ${check} | ${scope} | ${taxonomyOf(code)?.class ?? ''} | ${text} |`,
  )
  return [
    '# Reasons',
    '',
    'Every reason of a verdict, the closed set. Codes are stable. A `call` is refused alone; a `request` before it leaves; a `stream` fault ends',
    'the answer. The class leads to the ids of OWASP, MITRE ATLAS, NIST and the EU AI Act in [taxonomy.md](taxonomy.md). Made by `make generate` from',
    '`pkg/model/reasons.ts`.',
    '',
    '| code | check | about | class | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function limitsPage(): string {
  const source = readFileSync(join(root, 'pkg/model/limits.ts'), 'utf8')
  const docs = new Map(
    [...source.matchAll(/\/\*\* ([^\n]+) \*\/\n {2}readonly (\w+): number/g)].map((match) => [
      match[2] ?? '',
      match[1] ?? '',
    ]),
  )
  const rows = Object.entries(DEFAULT_LIMITS).map(
    ([name, value]) => `| \`${name}\` | ${value} | ${docs.get(name) ?? ''} |`,
  )
  return [
    '# Limits',
    '',
    'Every cap of the path, with its default; set one with `sallyctl up --limit NAME=VALUE`. Over a cap means: refuse at that byte, while',
    'streaming. Made by `make generate` from `pkg/model/limits.ts`.',
    '',
    '| name | default | what |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/** Test files by the promise id that they cite. */
function citations(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const dir of ['pkg', 'test'])
    for (const entry of readdirSync(join(root, dir), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.test.ts')) continue
      const file = join(entry.parentPath, entry.name)
      const ids = readFileSync(file, 'utf8').matchAll(/[['`]((?:[A-Z]+-)+[A-Z0-9]+)[\]'`]/g)
      for (const id of new Set([...ids].map((match) => match[1] ?? '')))
        found.set(id, [...(found.get(id) ?? []), relative(root, file)])
    }
  return found
}

function dialectsPage(): string {
  const cited = citations()
  const rows = DIALECT_RULES.map(
    ({ rule, ids }) => `| ${rule} | ${ids.map((each) => (each.length === 0 ? '–' : each.join(', '))).join(' | ')} |`,
  )
  const ids = [...new Set(DIALECT_RULES.flatMap((row) => row.ids.flat()))].sort()
  const tests = ids.map((id) => `| ${id} | ${[...(cited.get(id) ?? [])].sort().join(', ')} |`)
  return [
    '# Dialects',
    '',
    'The rules of the wire, and the promise ids whose tests show that a dialect keeps them. Made by `make generate` from `test/dialects.ts` and',
    'from the tests.',
    '',
    `| rule | ${DIALECTS.join(' | ')} |`,
    `|---|${DIALECTS.map(() => '---|').join('')}`,
    ...rows,
    '',
    '| id | tests |',
    '|---|---|',
    ...tests,
    '',
  ].join('\n')
}

const made = new Map<string, string>([
  ...(await generatedApi()),
  ...generatedProto(root),
  ['docs/reference/reasons.md', reasonsPage()],
  ['docs/reference/taxonomy.md', taxonomyPage()],
  ['docs/reference/audit-export.md', auditExportPage()],
  ['docs/reference/limits.md', limitsPage()],
  ['docs/reference/dialects.md', dialectsPage()],
  ['docs/reference/metrics.md', metricsPage()],
  ['docs/reference/openapi.json', `${JSON.stringify(adminOpenApi(), null, 2)}\n`],
])

const current = (path: string): string | null => {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return null
  }
}

const stale = [...made].filter(([path, text]) => current(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`not up to date: ${path} (run "make generate")`)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    console.log(`wrote ${path}`)
  }
}
