import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import type { VerdictRecord } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'
import { rfc3339, systemClock } from '#pkg/platform/clock'
import { whyNot, whyNotRead } from '#pkg/platform/files'
import { defaultDataDir, type Env, upSettings } from '#pkg/platform/settings'
import { printable } from './escape.ts'
import { checkFiles, resourceFilesOf } from './policy-check-run.ts'
import type { BugReportOptions, Context } from './ports.ts'
import { startProgress } from './progress.ts'
import { bareLogLine, bareRecord, newPseudonyms } from './redact.ts'
import { print } from './session.ts'
import { starterFolderOf } from './starter.ts'
import { type TarFile, tarGz } from './tar.ts'
import { readVerdicts, verdictFilesOf } from './verdict-files.ts'

const VERDICTS = 500
const LOG_LINES = 500
/** Of the end of a log file. */
const MAX_LOG_BYTES = 1024 * 1024

/** Lists what is in the report, then writes it (0600). */
export async function reportBug(context: Context, options: BugReportOptions): Promise<void> {
  const { deps } = context
  if (options.address !== undefined)
    throw new SallyportError('USAGE', '--address: a report is made of the data folder; give --data DIR')
  const nowMs = systemClock.nowMs()
  const { file = `sallyport-bug-report-${rfc3339(nowMs).replace(/\W/g, '').slice(0, 15)}.tar.gz`, dryRun = false } =
    options
  const progress = startProgress(deps, options, 'collecting')
  const files = await collect(context, options).finally(() => progress.stop())
  const listed = files.map(({ name, bytes }) => ({ name, bytes: bytes.length }))
  const listing = listed.map(({ name, bytes }) => `${name}  ${bytes} bytes\n`).join('')
  const isForPerson = options.output !== 'json' && options.output !== 'yaml'
  if (isForPerson) await deps.stdout(listing)
  if (!dryRun) write(file, tarGz(files, nowMs / 1_000))
  const written = dryRun ? null : file
  await print(deps, options, { written, files: listed }, () =>
    dryRun ? 'nothing was written\n' : `written to ${printable(file)}: look into it before you give it away\n`,
  )
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const there = existsSync(file) ? 'is there already' : `cannot be written: ${whyNot(cause, file)}`
    throw new SallyportError('STATE_UNAVAILABLE', `${file} ${there}; choose another --file`, { cause })
  }
}

async function collect({ deps }: Context, options: BugReportOptions): Promise<readonly TarFile[]> {
  const env = await deps.env()
  // read as plainly as can be: settings that are broken are a bug to report
  const dataDir = options.data ?? set(env, 'SALLYPORT_DATA') ?? defaultDataDir(env)
  const policiesDir = options.policies ?? set(env, 'SALLYPORT_POLICIES') ?? starterFolderOf(dataDir)
  const pseudonyms = newPseudonyms()
  const verdicts: unknown[] = []
  for await (const record of readVerdicts(verdictFilesOf(dataDir), `limit=${VERDICTS}`))
    verdicts.push(bareRecord(record satisfies VerdictRecord, pseudonyms))
  const versions = {
    sallyctl: deps.version,
    node: process.versions.node,
    os: `${platform()} ${release()}`,
    arch: arch(),
  }
  return [
    json('versions.json', versions),
    json('settings.json', settingsOf(env)),
    json('policies.json', policiesOf(policiesDir)),
    json('data-folder.json', folderOf(dataDir)),
    lines('verdicts.jsonl', verdicts),
    ...(options.log === undefined ? [] : [lines('log.jsonl', logOf(options.log))]),
  ]
}

function set(env: Env, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name]
}

/** Which variables are set, never to what: even an address may hold a password. */
function settingsOf(env: Env): unknown {
  return Object.values(upSettings).flatMap(({ env: name }) =>
    name === null ? [] : [{ name, set: (env[name] ?? '') !== '' }],
  )
}

/** Digests, sizes, and where faults are: not what policies say, nor what their files are called. */
function policiesOf(dir: string): unknown {
  try {
    const files = resourceFilesOf(dir)
    const { faults, policies, agents } = checkFiles(files)
    const listed = files.map(({ path, text }, at) => {
      const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
      const places = faults.filter((fault) => fault.file === path).map(({ line, column }) => ({ line, column }))
      return { file: at + 1, chars: text.length, digest, faults: places }
    })
    return { policies, agents, files: listed }
  } catch {
    return { unreadable: true }
  }
}

const KNOWN = [
  'tokens',
  'state.jsonl',
  'audit.jsonl',
  'audit.head',
  'verdicts.jsonl',
  'observed.json',
  'admin.sock',
  'pins',
  'policies',
] as const

/** Sizes and rights of the files that are ours. */
function folderOf(dataDir: string): unknown {
  return KNOWN.map((name) => {
    const stat = statSync(join(dataDir, name), { throwIfNoEntry: false })
    return stat === undefined
      ? { name, bytes: null }
      : { name, bytes: stat.size, mode: (stat.mode & 0o777).toString(8) }
  })
}

function logOf(path: string): readonly unknown[] {
  try {
    const all = readFileSync(path)
    const text = all.subarray(Math.max(0, all.length - MAX_LOG_BYTES)).toString('utf8')
    return text
      .split('\n')
      .flatMap((line) => bareLogLine(line) ?? [])
      .slice(-LOG_LINES)
  } catch (cause) {
    throw new SallyportError('RESOURCE_INVALID', `the log ${path} cannot be read: ${whyNotRead(cause, path)}`, {
      cause,
    })
  }
}

function json(name: string, value: unknown): TarFile {
  return { name: `sallyport-bug-report/${name}`, bytes: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) }
}

function lines(name: string, values: readonly unknown[]): TarFile {
  return {
    name: `sallyport-bug-report/${name}`,
    bytes: Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join('')),
  }
}
