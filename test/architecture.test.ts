import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')

/** Rooms whose members do not import each other. */
const CLOSED = new Set(['path', 'systems', 'control'])

/** Doors other than a room's own face. `firewall/sql` is the worker's: a thread that loads CEL and ajv too starts twice as late. */
const NESTED_DOOR =
  /^(?:path\/codec\/(?:wire|dialect)\/[a-z0-9-]+|path\/firewall\/sql|systems\/[a-z]+\/server|control\/[a-z]+\/server)$/

/** Members by room: where one level of folders is the member. */
const LEVELS: Readonly<Record<string, number>> = { path: 2, systems: 2, control: 2, platform: 2, planes: 2, faces: 2 }

function tableAfter(mark: string): readonly (readonly string[])[] {
  const lines = text.slice(text.indexOf(mark)).split('\n').slice(1)
  const rows: string[][] = []
  for (const line of lines) {
    if (!line.startsWith('|')) break
    rows.push(
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
  }
  return rows.slice(2)
}

const allowed = new Map(
  tableAfter('<!-- import-table -->').map(([from = '', to = '']) => [from, new Set(to.split(', '))]),
)
const exceptions = tableAfter('<!-- import-exceptions -->').map(([from = '', to = '']) => ({ from, to }))

function filesUnder(dir: string): readonly string[] {
  return readdirSync(join(root, dir), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

const files = [...filesUnder('pkg'), ...filesUnder('cmd')]
const isTest = (file: string): boolean => /\.(?:test|fixture)\.ts$/.test(file)

type Arrow = { readonly file: string; readonly spec: string; readonly target: string }

const IMPORT =
  /(?:^|\n)\s*(?:import|export)[^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|new URL\(\s*'(\.[^']+\.ts)'/g

function arrowsOf(file: string): readonly Arrow[] {
  const arrows: Arrow[] = []
  for (const match of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
    const spec = match[1] ?? match[2] ?? match[3] ?? ''
    if (spec.startsWith('#pkg/')) arrows.push({ file, spec, target: `pkg/${spec.slice(5)}` })
    else if (spec.startsWith('.'))
      arrows.push({
        file,
        spec,
        target: normalize(join(dirname(file), spec))
          .split(sep)
          .join('/'),
      })
  }
  return arrows
}

const arrows = files.flatMap(arrowsOf)

function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return first === 'cmd' ? 'cmd' : second
}

function memberOf(path: string): string {
  const parts = path.replace(/\/[^/]*\.ts$/, '').split('/')
  if (parts[0] === 'cmd') return 'cmd'
  const room = parts[1] ?? ''
  return parts.slice(1, 1 + (LEVELS[room] ?? 1)).join('/')
}

const excepted = (arrow: Arrow): boolean =>
  exceptions.some(({ from, to }) => arrow.file.startsWith(`pkg/${from}/`) && arrow.target.startsWith(`pkg/${to}`))

test('[ARCH-01] the test sees the code and both tables', () => {
  assert.ok(files.length > 60, `${files.length} files`)
  assert.ok(arrows.length > 150, `${arrows.length} imports`)
  assert.equal(allowed.size, 8)
  assert.ok(exceptions.length > 0)
})

test('[ARCH-01] imports follow the direction of the table', () => {
  const wrong = arrows.filter((arrow) => {
    const [from, to] = [roomOf(arrow.file), roomOf(arrow.target)]
    return from !== to && !isTest(arrow.file) && !(allowed.get(from)?.has(to) ?? false)
  })
  assert.deepEqual(wrong, [])
})

test('[ARCH-01] members of a closed room do not know each other', () => {
  const wrong = arrows.filter((arrow) => {
    const [from, to] = [memberOf(arrow.file), memberOf(arrow.target)]
    const room = roomOf(arrow.file)
    if (from === to || room !== roomOf(arrow.target) || isTest(arrow.file)) return false
    return (CLOSED.has(room) || room === 'planes' || room === 'faces') && !excepted(arrow)
  })
  assert.deepEqual(wrong, [])
})

test('[ARCH-01] a room is entered by its face', () => {
  const wrong = arrows.filter((arrow) => {
    if (isTest(arrow.file)) return false
    if (arrow.spec.startsWith('#pkg/')) {
      const path = arrow.spec.slice(5)
      const depth = path.split('/').length
      const isFace = path === 'model/errors' || path === 'model/api' || depth <= (LEVELS[roomOf(arrow.target)] ?? 1)
      return !isFace && !NESTED_DOOR.test(path)
    }
    const [from, to] = [memberOf(arrow.file), memberOf(arrow.target)]
    return from !== to && !arrow.target.endsWith('checks-worker.ts')
  })
  assert.deepEqual(wrong, [])
})

test('[ARCH-01] the page of the dashboard takes types alone from other rooms', () => {
  const dir = 'pkg/faces/dashboard/browser/'
  const sources = files.filter((file) => file.startsWith(dir) && !isTest(file))
  assert.ok(sources.length > 15)
  const values = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^import (?!type ).*from '(?:#|\.\.).*$/gm)].map(
      ([line]) => line,
    ),
  )
  assert.deepEqual(values, [])
})

test('[ARCH-01] no circle of files', () => {
  const graph = new Map<string, string[]>()
  for (const arrow of arrows) {
    const target = arrow.target.endsWith('.ts') ? arrow.target : `${arrow.target}/index.ts`
    graph.set(arrow.file, [...(graph.get(arrow.file) ?? []), target])
  }
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    if (done.has(file)) return
    assert.ok(!trail.includes(file), `circle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`)
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
})

test('[ARCH-02] every room says at its door where it stands and what it never does', () => {
  const doors = files.filter((file) => file.endsWith('/index.ts') && !file.includes('/model/api/'))
  assert.ok(doors.length > 10)
  const mute = doors.filter((file) => {
    const head = readFileSync(join(root, file), 'utf8').split('*/')[0] ?? ''
    return !head.startsWith('/**') || !head.includes('In:') || !head.includes('Out:') || !head.includes('Never:')
  })
  assert.deepEqual(mute, [])
})

test('[ARCH-02] no drawer without a name, and no file over 400 lines', () => {
  const drawers = files.filter((file) => /\/(?:util|utils|common|helpers|misc|types|lib)(?:\/|\.ts$)/.test(file))
  assert.deepEqual(drawers, [])
  const long = files.filter(
    (file) =>
      !isTest(file) && !file.endsWith('.gen.ts') && readFileSync(join(root, file), 'utf8').split('\n').length > 401,
  )
  assert.deepEqual(long, [])
})

test('[ARCH-03] only settings reads the environment; firewall, policy, compile and codec do no I/O', () => {
  const env = files.filter(
    (file) =>
      !isTest(file) &&
      !file.startsWith('pkg/platform/settings/') &&
      readFileSync(join(root, file), 'utf8').includes('process.env'),
  )
  assert.deepEqual(env, [])
  const pure = files.filter(
    (file) => /^pkg\/(?:path\/(?:firewall|policy|codec)|control\/compile)\//.test(file) && !isTest(file),
  )
  assert.ok(pure.length > 20)
  const impure = pure.filter((file) =>
    /from '(?:node:(?:fs|net|http|https|child_process|dgram|worker_threads)|undici)'/.test(
      readFileSync(join(root, file), 'utf8'),
    ),
  )
  assert.deepEqual(impure, [])
})
