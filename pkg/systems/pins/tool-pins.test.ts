import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { newLog } from '#pkg/platform/log'
import { digestOf, type ListedTool, listDigestOf, newToolPins, type ToolPins } from './index.ts'

const server = { namespace: 'growth', name: 'warehouse' }
const other = { namespace: 'growth', name: 'other' }
const agent = { namespace: 'growth', name: 'marketing' }

type Bench = { readonly dir: string; readonly lines: string[]; open(): ToolPins }

function withFolder(body: (bench: Bench) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-pins-'))
  const lines: string[] = []
  const log = newLog({ write: (line) => lines.push(line) })
  try {
    body({ dir, lines, open: () => newToolPins({ log }, { dataDir: dir }) })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const tool = (name: string, more: object = {}): ListedTool => ({
  name,
  value: { name, description: 'secret words', ...more },
})
const list = (pins: ToolPins, tools: readonly ListedTool[], of = server): readonly { kind: string; tool: string }[] =>
  pins.compare(of, { agent, page: { tools, cursor: null, next: null }, pin: null })

test('[MCP-07] a pin lasts, in a file of its own that only its owner reads', () =>
  withFolder(({ dir, open }) => {
    list(open(), [tool('a'), tool('b')])
    const [file = ''] = readdirSync(join(dir, 'pins'))
    assert.equal(statSync(join(dir, 'pins', file)).mode & 0o777, 0o600)
    const again = open()
    assert.deepEqual(list(again, [tool('a'), tool('b')]), [])
    assert.deepEqual(
      list(again, [tool('a', { x: 1 }), tool('c')]).map((one) => [one.kind, one.tool]),
      [
        ['changed', 'a'],
        ['added', 'c'],
        ['removed', 'b'],
      ],
    )
    assert.deepEqual(
      [again.drifted(server, 'a'), again.drifted(server, 'b'), again.drifted(server, 'c')],
      [true, false, true],
    )
    assert.equal(open().drifted(server, 'a'), true, 'so does what drifted')
    list(again, [tool('a'), tool('b')])
    assert.equal(open().drifted(server, 'a'), false)
  }))

test('[MCP-07] the log tells digests and places, no text of a descriptor', () =>
  withFolder(({ lines, open }) => {
    const pins = open()
    list(pins, [tool('a', { inputSchema: { properties: { q: { type: 'string' } } } })])
    list(pins, [
      tool('a', { inputSchema: { properties: { q: { type: 'number' }, 'side note': {} } } }),
      tool('\u001b[2Jx'),
    ])
    const [pinned, drifted] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual([pinned?.['event'], pinned?.['tools']], ['tools-pinned', 1])
    assert.deepEqual(drifted?.['diff'], [
      { kind: 'changed', tool: 'a', paths: ['/inputSchema/properties/q/type', '/inputSchema/properties/?'] },
      { kind: 'added', tool: '(not plain)', paths: [] },
    ])
    assert.ok(!lines.join('').includes('secret words'))
  }))

test('[MCP-07] who was first is known after a restart', () =>
  withFolder(({ open }) => {
    list(open(), [tool('a')])
    list(open(), [tool('a')], other)
    const pins = open()
    const [mine, theirs] = [pins.pinnedSince(server, 'a'), pins.pinnedSince(other, 'a')]
    assert.ok(mine !== null && theirs !== null && mine < theirs)
    assert.equal(pins.pinnedSince(server, 'b'), null)
  }))

const broken: readonly (readonly [what: string, text: (whole: string) => string])[] = [
  ['half a file', (whole) => whole.slice(0, whole.length / 2)],
  ['another version', (whole) => whole.replace('"version": 1', '"version": 2')],
  ['a descriptor that its digest does not fit', (whole) => whole.replace('secret words', 'other words')],
  ['nothing', () => ''],
]
for (const [what, textOf] of broken) {
  test(`[MCP-07] a file with ${what} is no pin, and not replaced by one`, () =>
    withFolder(({ dir, open }) => {
      list(open(), [tool('a')])
      const [file = ''] = readdirSync(join(dir, 'pins'))
      const path = join(dir, 'pins', file)
      const text = textOf(readFileSync(path, 'utf8'))
      writeFileSync(path, text)
      assert.throws(() => list(open(), [tool('b')]), { code: 'STATE_UNAVAILABLE' })
      assert.throws(() => open().drifted(server, 'a'), { code: 'STATE_UNAVAILABLE' })
      assert.equal(readFileSync(path, 'utf8'), text)
    }))
}

test('[MCP-07] a pin that cannot be written is none', () =>
  withFolder(({ dir, open }) => {
    writeFileSync(join(dir, 'pins'), 'a file where the folder should be')
    const pins = open()
    assert.throws(() => list(pins, [tool('a')]), { code: 'STATE_UNAVAILABLE' })
    assert.throws(() => pins.pinnedSince(server, 'a'), { code: 'STATE_UNAVAILABLE' })
  }))

test('[MCP-07] names of files say nothing but the names of servers', () =>
  withFolder(({ dir, open }) => {
    const pins = open()
    for (const name of ['a~b', '..', 'a/b', 'A b']) list(pins, [tool('t')], { namespace: 'n', name })
    assert.equal(readdirSync(join(dir, 'pins')).length, 4)
    assert.equal(readdirSync(dir).length, 1)
  }))

test('[MCP-07] a digest does not depend on the order of keys or tools, and on everything else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (left, right) => {
      const same = JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
      assert.equal(digestOf(left) === digestOf(right), same)
      assert.equal(digestOf(sorted(left)), digestOf(left))
    }),
  )
  assert.equal(listDigestOf([tool('a'), tool('b')]), listDigestOf([tool('b'), tool('a')]))
  assert.notEqual(listDigestOf([tool('a')]), listDigestOf([tool('b')]))
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? 1 : -1))
  return Object.fromEntries(pairs.map(([key, inner]) => [key, sorted(inner)]))
}

test('[PEER-06] a server has drifted while anything of it that it lists is not as pinned', () =>
  withFolder(({ open }) => {
    const pins = open()
    list(pins, [tool('card'), tool('skill:a')])
    assert.equal(pins.hasDrifted(server), false)
    list(pins, [tool('card'), tool('skill:a', { x: 1 })])
    assert.deepEqual([pins.hasDrifted(server), pins.hasDrifted(other), open().hasDrifted(server)], [true, false, true])
    list(pins, [tool('card'), tool('skill:a')])
    assert.equal(pins.hasDrifted(server), false)
  }))
