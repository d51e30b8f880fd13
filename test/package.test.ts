import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Unpacked. The WASM of the SQL grammar and two copies of what it needs make up most of it. */
const MAX_BYTES = 10 * 1024 * 1024
/** Libraries of tests and of the making: they have no place in what people run. */
const NOT_SHIPPED =
  /node_modules\/(?:openai|@anthropic-ai|@google\/genai|@modelcontextprotocol|@a2a-js|express|fast-check|@electric-sql|playwright-core|typescript|esbuild|@biomejs)\//

test('[FIRST-03] the bundle runs without node_modules, and holds no test, no fixture and no library of tests', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-package-'))
  try {
    const out = join(dir, 'dist')
    const built = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts'), out], { encoding: 'utf8' })
    assert.equal(built.status, 0, built.stderr)
    const inputs = readFileSync(join(out, 'inputs.txt'), 'utf8').trim().split('\n')
    assert.ok(inputs.includes('cmd/sallyctl/main.ts') && inputs.some((path) => path.includes('node_modules/undici/')))
    const wrong = inputs.filter((path) => /\.(?:test|fixture)\.ts$|^test\//.test(path) || NOT_SHIPPED.test(path))
    assert.deepEqual(wrong, [])
    const files = readdirSync(out)
    assert.deepEqual(
      files.filter((name) => name.endsWith('.ts')),
      [],
    )
    const bytes = files.reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
    assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`)
    assert.deepEqual(readdirSync(join(out, 'dashboard')).sort(), [
      'app.css',
      'app.js',
      'icon.svg',
      'index.html',
      'inputs.txt',
    ])
    for (const file of ['sallyctl.mjs', 'launch.js']) {
      const ran = spawnSync(process.execPath, [join(out, file), 'version'], { encoding: 'utf8', cwd: dir })
      assert.match(ran.stdout, /^sallyctl \d/, ran.stderr)
    }
    const policies = join(ROOT, 'docs/examples/marketing')
    const checked = spawnSync(process.execPath, [join(out, 'launch.js'), 'policy', 'check', policies], {
      encoding: 'utf8',
    })
    assert.equal(checked.status, 0, checked.stderr)
    await assertServesPage(join(out, 'sallyctl.mjs'), dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

/** The page stands beside the bundle, and is found there. */
async function assertServesPage(program: string, home: string): Promise<void> {
  const ports = ['--port', '0', '--admin-port', '0']
  const child = spawn(process.execPath, [program, 'up', '--simulate', ...ports, '-o', 'json'], {
    env: { HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  try {
    const first = once(createInterface({ input: child.stdout }), 'line')
    const [line] = await Promise.race([first, ended.then(() => assert.fail(err))])
    const { admin } = JSON.parse(String(line))
    const page = await fetch(`${admin}/dashboard/`)
    assert.equal(page.status, 200, await page.text())
    assert.equal((await fetch(`${admin}/dashboard/app.js`)).status, 200)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

test('[FIRST-03] the manifest ships the bundle alone, and has nothing installed but a Node where one fits', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  assert.deepEqual(
    [manifest.files, manifest.bin, manifest.dependencies],
    [['dist'], { sallyctl: 'dist/launch.js' }, undefined],
  )
  assert.ok(Object.keys(manifest.optionalDependencies).every((name) => /^node-/.test(name)))
  assert.match(manifest.scripts.prepack, /scripts\/build\.ts/)
})

test('[FIRST-04] the Quick start of the README is what the script of the first minutes runs', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const section = readme.slice(readme.indexOf('## Quick start')).split(/\n## /)[0] ?? ''
  const script = readFileSync(join(ROOT, 'test/first-minutes/run.ts'), 'utf8')
  const commands = [...section.matchAll(/^(?:make|npm|npx|\.\/sallyctl) [^#\n]*/gm)].map(([line]) => line.trim())
  assert.ok(commands.length >= 6, 'there are commands')
  const steps = [...script.matchAll(/step\(\s*[`'"]([^`'"]+)[`'"]/g)].map(([, name]) => (name ?? '').split('  ')[0])
  for (const command of commands) assert.ok(steps.includes(command), `${command}: no step of the script`)
  assert.deepEqual(
    steps.filter((step) => step !== undefined && commands.includes(step)),
    commands,
    'in the same order',
  )
})
