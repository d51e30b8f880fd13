import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, newResourceReader } from './index.ts'

const HEAD = 'apiVersion: sallyport.dev/v1alpha1\nkind: AgentPolicy\n'
const POLICY = `${HEAD}metadata: { name: p }\nspec:\n  selector: {}\n  role: r\n`
const SCHEMA = `${POLICY}  tools: { allow: [{ name: x, arguments: { schema: { enum: [`
const AGENT = 'apiVersion: sallyport.dev/v1alpha1\nkind: Agent\nmetadata: { name: a }\n---\n'

/** `count` units between a beginning and an end. */
type Shape = {
  readonly name: string
  readonly begin: string
  readonly unit: (at: number) => string
  readonly end: string
  /** Of a file below every limit; null: no fault. */
  readonly code: FaultCode | null
}
const shape = (name: string, unit: string | ((at: number) => string), code: FaultCode | null, around = ['', '']) => {
  const [begin = '', end = ''] = around
  return { name, begin, unit: typeof unit === 'string' ? () => unit : unit, end, code } satisfies Shape
}
const nested = (open: string, close: string): string => `${open.repeat(50)}x${close.repeat(50)},\n`

const shapes: readonly Shape[] = [
  shape('brackets that are never closed', '[', 'TooLarge'),
  shape('braces that are never closed', '{a: ', 'TooLarge'),
  shape('lists in lists on one line', '- ', 'TooLarge'),
  shape('keys in keys on one line', '? ', 'TooLarge'),
  shape('maps indented ever deeper', (at) => `${' '.repeat(at % 500)}a:\n`, 'TooLarge'),
  shape('lists 50 deep, side by side', nested('[', ']'), 'Invalid', ['[', ']']),
  shape('maps 50 deep, side by side', nested('{a: ', '}'), 'Invalid', ['[', ']']),
  shape('a schema of lists 50 deep', nested('[', ']').trimEnd(), null, [SCHEMA, '] } } }] }\n']),
  shape('a schema of many values', '1, ', null, [SCHEMA, '] } } }] }\n']),
  shape('block lists 50 deep, side by side', `${'- '.repeat(50)}x\n`, 'Invalid'),
  shape('block keys 50 deep, side by side', `${'? '.repeat(50)}x\n`, 'YamlSyntax'),
  shape('empty lists', '[],', 'Invalid', ['[', ']']),
  shape('empty entries', '-\n', 'Invalid'),
  shape('empty keys', '?\n', 'Duplicate'),
  shape('anchors on one node', '&a ', 'YamlSyntax'),
  shape('an anchor on each node', (at) => `- &a${at} x\n`, 'Invalid'),
  shape('aliases of one anchor', '- *a\n', 'TooLarge', ['- &a x\n', '']),
  shape('aliases of nothing', '- *b\n', 'YamlSyntax'),
  shape('a list of which 50 aliases are made', 'x, ', 'Invalid', ['- &a [', `]\n${'- *a\n'.repeat(50)}`]),
  shape('aliases of themselves', '--- &a\nb: *a\n', 'TooLarge'),
  shape('many keys', (at) => `k${at}: v\n`, 'UnknownKind'),
  shape('one key again and again', 'k: v\n', 'Duplicate'),
  shape('lists as keys', '[a]: b\n', 'YamlSyntax'),
  shape('tags of their own', '- !a x\n', 'YamlSyntax'),
  shape('many tags on one node', '!a ', 'YamlSyntax'),
  shape('tag directives', (at) => `%TAG !a${at}! x\n`, 'Invalid', ['', '---\na\n']),
  shape('version directives', '%YAML 1.2\n', null),
  shape('brackets that close nothing', ']', 'YamlSyntax'),
  shape('commas', ',', 'YamlSyntax', ['[', ']']),
  shape('quotes that are never closed', 'a: "\n', 'YamlSyntax'),
  shape('indents that fit nothing', '  a:\n b:\n', 'YamlSyntax'),
  shape('empty documents', '---\n', null),
  shape('ends of documents', '...\n', null),
  shape('documents that are none of ours', 'a: b\n---\n', 'UnknownKind'),
  shape('one agent again and again', AGENT, 'Duplicate'),
  shape('line ends', '\n', null),
  shape('comments', '#\n', null),
  shape('unknown fields', (at) => `  f${at}: x\n`, 'UnknownField', [POLICY, '']),
  shape('unknown metadata', (at) => `f${at}: x, `, 'UnknownField', [`${HEAD}metadata: {`, 'name: p }\n']),
  shape('labels', (at) => `k${at}: v, `, 'Invalid', [`${HEAD}metadata: { name: p, labels: {`, '} }\n']),
  shape('tools with a misspelt name', '    - nam: t\n', 'Invalid', [`${POLICY}  tools:\n    allow:\n`, '']),
  shape('tools that are numbers', '1, ', 'Invalid', [`${POLICY}  tools: { allow: [`, '] }\n']),
  shape('one tool again and again', '    - name: t\n', 'Invalid', [`${POLICY}  tools:\n    allow:\n`, '']),
]

/** Of one token or a few; only their length costs. */
const scalars: readonly Shape[] = [
  shape('a long word', 'x', 'Invalid'),
  shape('a long comment', 'x', null, ['# ', '']),
  shape('spaces', ' ', null),
  shape('escapes that are none', '\\q', 'YamlSyntax', ['"', '"']),
  shape('a word on many lines', ' c\n', 'UnknownKind', ['a: b\n', '']),
  shape('empty lines in quotes', '\n', 'Invalid', ['"', '"']),
  shape('empty lines in a folded text', '\n', 'UnknownKind', ['a: >\n', ' x\n']),
  shape('a field with a long name', 'abc', 'YamlSyntax', [`${POLICY}  `, ': 1\n']),
  shape('a long kind', 'abc', 'UnknownKind', ['apiVersion: sallyport.dev/v1alpha1\nkind: ', '\n']),
]

function textOf({ begin, unit, end }: Shape, length: number): string {
  const parts = [begin]
  let left = length - begin.length - end.length
  for (let at = 0; left > 0; at += 1) {
    const part = unit(at)
    left -= part.length
    if (left >= 0) parts.push(part)
  }
  return parts.join('') + end
}

/** Under a second on one idle core for each; the bound leaves room for a busy one. */
const PATIENCE_MS = 5_000
const MAX_LENGTH = 2 * 1024 * 1024

function timed<T>(body: () => T): T {
  const before = performance.now()
  const result = body()
  const ms = performance.now() - before
  assert.ok(ms < PATIENCE_MS, `${ms.toFixed(0)} ms`)
  return result
}

for (const each of shapes)
  test(`[RES-12] ${each.name}: told as what it is, and refused by its size in time`, () => {
    const small = newResourceReader().read({ path: 'p', text: textOf(each, 9_000) })
    assert.equal(small.faults[0]?.code ?? null, each.code, small.faults[0]?.message)
    const { faults } = timed(() =>
      newResourceReader({ maxTokens: 40_000 }).read({ path: 'p', text: textOf(each, MAX_LENGTH) }),
    )
    assert.equal(faults.length, 1)
    assert.equal(faults[0]?.code, 'TooLarge')
    assert.match(faults[0]?.message ?? '', /more than \d+ .*; (?:split it here|put fewer|write)/)
  })

for (const each of scalars)
  test(`[RES-12] ${each.name}, as long as a file may be: read in time`, () => {
    const { faults } = timed(() => newResourceReader().read({ path: 'p', text: textOf(each, MAX_LENGTH) }))
    assert.equal(faults[0]?.code ?? null, each.code, faults[0]?.message)
    for (const { message } of faults) assert.ok(message.length < 1_000, `${message.length}`)
  })

/** The slowest of their kinds, and the length at which they are just below the limit. */
const worst = new Map([
  ['block keys 50 deep, side by side', 231_000],
  ['empty keys', 230_000],
  ['brackets that close nothing', 345_000],
  ['a schema of lists 50 deep', 225_000],
])
for (const each of shapes.filter(({ name }) => worst.has(name)))
  test(`[RES-12] ${each.name}, as many as a file may hold: read in time`, () => {
    const length = worst.get(each.name) ?? 0
    const reader = newResourceReader()
    const { faults } = timed(() => reader.read({ path: 'p', text: textOf(each, length) }))
    assert.equal(faults[0]?.code ?? null, each.code)
    assert.equal(reader.read({ path: 'p', text: textOf(each, length * 1.05) }).faults[0]?.code, 'TooLarge')
  })

test('[RES-12] each limit holds at its value and refuses one above, with its number, its place and what to do', () => {
  const at = (options: object, text: string): string | null => {
    const [fault] = newResourceReader(options).read({ path: 'p', text }).faults
    return fault === undefined ? null : `${fault.line}:${fault.column} ${fault.code} ${fault.message}`
  }
  const five = '#\n#\n#\n#\n#\n' // two tokens a line
  assert.equal(at({ maxTokens: 10 }, five), null)
  assert.match(at({ maxTokens: 9 }, five) ?? '', /^5:2 TooLarge .*more than 9 words.*split it here/)
  assert.equal(at({ maxFileLength: 10 }, five), null)
  assert.match(at({ maxFileLength: 9 }, five) ?? '', /^1:1 TooLarge .*10 characters long, 9 are read; split it/)
  assert.equal(at({}, '---\n'.repeat(10_000)), null)
  assert.match(at({}, '---\n'.repeat(10_010)) ?? '', /TooLarge .*more than 10000 documents; split it here/)
  const deep = (times: number): string => `[${'['.repeat(times)}${']'.repeat(times)}]\n`
  assert.match(at({}, deep(60)) ?? '', /Invalid/)
  assert.match(at({}, deep(80)) ?? '', /^1:65 TooLarge nested more than 64 deep/)
  assert.match(at({}, deep(200)) ?? '', /^1:1\d\d TooLarge nested more than 128 deep.*put fewer/)
})
