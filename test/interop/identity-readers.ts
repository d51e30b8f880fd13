/** Other people's tools, as readers of SVIDs: openssl, Python (cryptography, spiffe, PyJWT, pkilint), Go (go-spiffe, crypto/x509). */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** One thing to read. `at`: seconds since 1970, of a certificate; tokens are read now. */
export type Case = {
  readonly name: string
  readonly trustDomain: string
  readonly bundle: string
} & (
  | { readonly kind: 'x509'; readonly chain: string; readonly at: number }
  | { readonly kind: 'jwt'; readonly token: string; readonly audience: string }
)

/** What one reader says of one case; `spiffeId` null = refused, `detail` says why. */
export type Told = {
  readonly name: string
  readonly reader: string
  readonly spiffeId: string | null
  readonly detail: string
}

const run = promisify(execFile)
const here = import.meta.dirname
const PYTHON = process.env['INTEROP_PYTHON'] ?? 'python3'

/** Feeds `input` to a program; its lines of JSON. */
async function linesOf<T>(program: string, words: readonly string[], input: unknown): Promise<readonly T[]> {
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stdin.end(JSON.stringify(input))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  assert.equal(code, 0, program)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T) // each program says its line in its head
}

export const byPython = (cases: readonly Case[]): Promise<readonly Told[]> =>
  linesOf(PYTHON, [join(here, 'identity_python.py')], cases)

/** The Go program, built once into the user's cache; null where there is no Go that can. */
export async function goReader(): Promise<((cases: readonly Case[]) => Promise<readonly Told[]>) | null> {
  const version = await run('go', ['env', 'GOVERSION']).catch(() => null)
  const [, minor = '0'] = /^go1\.(\d+)/.exec(version?.stdout ?? '') ?? []
  if (Number(minor) < 24) return null
  const cache = join(homedir(), '.cache/sallyport')
  mkdirSync(cache, { recursive: true })
  const program = join(cache, 'spiffe-go')
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false', GOCACHE: join(cache, 'go-build') }
  await run('go', ['build', '-trimpath', '-o', program, '.'], { cwd: join(here, 'spiffe-go'), env })
  return (cases) => linesOf(program, [], cases)
}

/** What pkilint finds in a certificate, given its signer's file ("-" = none). */
export type Linted = { readonly file: string; readonly findings: readonly string[]; readonly excused: number }

export const lint = (pairs: readonly (readonly [file: string, signer: string])[]): Promise<readonly Linted[]> =>
  linesOf(PYTHON, [join(here, 'identity_lint.py'), ...pairs.flat()], null)

/** `openssl verify -x509_strict` with more words; "ok", or the words of its first error. */
export async function openssl(words: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('openssl', ['verify', '-x509_strict', ...words])
    return /: OK\n$/.test(stdout) ? 'ok' : stdout
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string } // what execFile rejects with
    return /error \d+ at \d+ depth lookup: (.*)/.exec(stderr)?.[1] ?? stderr
  }
}
