/**
 * README's first five minutes, on a clean clone and in an empty home.
 *
 *   node test/first-minutes/run.ts [--skip-demo]
 *
 * In:  the commit that is checked out; git, npm, make, python3 with venv; the registries, for what is not cached.
 * Out: one line for each step with its time; exit 0, 1 when a step failed, 69 when a tool is missing.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, must, type Place } from './commands.ts'
import { upSimulated } from './up.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
/** The promise of the README; on a busy machine the best of some tries. */
const FIRST_TOKEN_MS = 3_000
const TRIES = 3
/** What the packed npm package may weigh. */
const MAX_PACKED_BYTES = 3 * 1024 * 1024
const NODES = ['20.20.2', '24.21.0', '26.10.0'] as const
const NODE_PACKAGE = `node-${process.platform === 'darwin' ? 'darwin' : 'linux'}-${process.arch}`

for (const tool of ['git', 'npm', 'make', 'python3']) {
  if (spawnSync(tool, ['--version']).status === 0) continue
  console.error(`test-first-minutes needs ${tool}`)
  process.exit(69)
}

const dir = mkdtempSync(join(tmpdir(), 'sp-first-'))
const clone = join(dir, 'sallyport')
const home = join(dir, 'home')
mkdirSync(home)

/** A new person's environment: an empty home. What npm has cached already need not be asked for again. */
const env: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  SALLYPORT_PORT: '0',
  SALLYPORT_ADMIN_PORT: '0',
  npm_config_cache: join(homedir(), '.npm'),
  npm_config_userconfig: join(homedir(), '.npmrc'),
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
  ...(process.env['PIP_INDEX_URL'] === undefined ? {} : { PIP_INDEX_URL: process.env['PIP_INDEX_URL'] }),
}
const at: Place = { cwd: clone, env }

async function step(name: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now()
  const said = await work()
  console.log(`ok    ${name}  ${Math.round(performance.now() - started)} ms${said === '' ? '' : `  ${said}`}`)
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** The best time to the first token of some starts. */
async function firstTokenOf(place: Place, words: readonly string[]): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < TRIES && best > FIRST_TOKEN_MS; tries += 1) {
    const up = await upSimulated(place, words)
    best = Math.min(best, up.firstTokenMs)
    const status = await up.stop()
    // npx and its shell end by the signal themselves
    if (words[0] !== 'npx') expect(status === 0, `${words.join(' ')} ended with ${status}`)
  }
  return Math.round(best)
}

async function firstTokenInTime(): Promise<string> {
  const ms = await firstTokenOf(at, ['./sallyctl', 'up', '--simulate'])
  expect(ms <= FIRST_TOKEN_MS, `the first token came after ${ms} ms, not ${FIRST_TOKEN_MS}`)
  return `first token after ${ms} ms`
}

/** The Python of `make test-interop`, if that was made, else one of our own. */
async function pythonWithClient(): Promise<string> {
  const made = join(ROOT, 'out/interop/bin/python')
  if (existsSync(made) && spawnSync(made, ['-c', 'import openai']).status === 0) return made
  const venv = join(dir, 'venv')
  await must(at, ['python3', '-m', 'venv', venv])
  const pin = /^openai==\S+$/m.exec(readFileSync(join(ROOT, 'test/interop/requirements.txt'), 'utf8'))?.[0] ?? 'openai'
  await must(at, [join(venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', pin], 300_000)
  return join(venv, 'bin/python')
}

async function runAgent(python: string, ...options: readonly string[]): Promise<string> {
  const ran = await command(at, ['./sallyctl', 'run', ...options, '--', python, 'docs/first-agent/agent.py'])
  expect(ran.status === 0, `the agent ended with ${ran.status}\n${ran.out}${ran.err}`)
  expect(ran.out.includes('-> search_docs') && ran.out.includes('INTENT_SQL_WRITE'), ran.out)
  const summary = /^sallyport: .*$/m.exec(ran.err)?.[0]
  expect(summary?.includes('1 refused') === true, ran.err)
  return summary ?? ''
}

/** As in another shell, while `up` runs. */
async function runBeside(python: string): Promise<string> {
  const up = await upSimulated(at, ['./sallyctl', 'up', '--simulate'])
  try {
    return await runAgent(python)
  } finally {
    await up.stop()
  }
}

async function suggestPolicy(): Promise<string> {
  const yaml = await must(at, ['./sallyctl', 'policy', 'suggest', 'agent'])
  for (const word of ['name: search_docs', 'name: run_sql', '# ', 'INTENT_SQL_WRITE']) expect(yaml.includes(word), yaml)
  writeFileSync(join(dir, 'suggested.yaml'), yaml)
  return (await must(at, ['./sallyctl', 'policy', 'check', join(dir, 'suggested.yaml')])).trim()
}

async function pack(): Promise<string> {
  const told = await must(at, ['npm', 'pack', '--json', '--loglevel=error'])
  const [packed] = JSON.parse(told.slice(told.indexOf('[\n')))
  const paths: readonly string[] = packed.files.map((file: { path: string }) => file.path)
  const odd = paths.filter((path) => !/^(?:dist\/(?:dashboard\/)?[\w.-]+|package\.json|README\.md|LICENSE)$/.test(path))
  expect(odd.length === 0, `the package holds what it should not: ${odd.join(', ')}`)
  expect(
    !paths.some((path) => /\.ts$|test|fixture/.test(path)),
    `the package holds sources or tests: ${paths.join(', ')}`,
  )
  expect(paths.includes('dist/dashboard/app.js'), 'the package holds no page of the dashboard')
  expect(packed.size <= MAX_PACKED_BYTES, `the package weighs ${packed.size} bytes, more than ${MAX_PACKED_BYTES}`)
  return `${paths.length} files, ${Math.round(packed.size / 1024)} KiB`
}

async function npxOn(version: string): Promise<string> {
  const place = join(dir, `node-${version}`)
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), '{"private":true}')
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']
  await must({ cwd: place, env }, ['npm', 'install', ...quiet, `${NODE_PACKAGE}@${version}`], 300_000)
  const bin = join(place, 'node_modules', NODE_PACKAGE, 'bin')
  const own: Place = { cwd: clone, env: { ...env, PATH: `${bin}:${env['PATH']}`, HOME: join(place) } }
  const tarball = readdirSync(clone).find((name) => /^sallyport-.*\.tgz$/.test(name)) ?? ''
  const real = (await must(own, ['node', '--version'])).trim()
  expect(real === `v${version}`, `this is Node ${real}`)
  const ms = await firstTokenOf(own, ['npx', '-y', `./${tarball}`, 'up', '--simulate'])
  return `first token after ${ms} ms, npm's own work included`
}

try {
  await step('git clone', async () => await must({ cwd: dir, env }, ['git', 'clone', '--quiet', ROOT, clone]))
  await step('make setup', async () => await must(at, ['make', 'setup'], 300_000).then(() => ''))
  if (!process.argv.includes('--skip-demo'))
    await step('make demo', async () => await must(at, ['make', 'demo'], 300_000).then(() => ''))
  const python = await pythonWithClient()
  await step(
    './sallyctl run --simulate -- python docs/first-agent/agent.py',
    async () => await runAgent(python, '--simulate'),
  )
  await step('./sallyctl policy suggest agent', suggestPolicy)
  await step('./sallyctl up --simulate', firstTokenInTime)
  await step('./sallyctl run -- python docs/first-agent/agent.py, beside it', async () => await runBeside(python))
  await step('npm pack', pack)
  for (const version of NODES)
    await step(`npx -y ./sallyport-*.tgz up --simulate  (Node ${version})`, () => npxOn(version))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
