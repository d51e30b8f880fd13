import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

/** Messages and services in TypeScript, by path: `proto/*.proto` → `proto/gen/*_pb.ts`. Lints them first. */
export function generatedProto(root: string): ReadonlyMap<string, string> {
  const out = mkdtempSync(join(tmpdir(), 'sallyport-proto-'))
  const plugin = join(root, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')
  const opt = ['target=ts', 'import_extension=ts', 'erasable_syntax=true']
  const template = { version: 'v2', plugins: [{ local: [process.execPath, plugin], out, opt }] }
  try {
    buf(root, ['lint'])
    buf(root, ['generate', '--template', JSON.stringify(template)])
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return new Map(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name)
        return [join('proto/gen', relative(out, path)), readFileSync(path, 'utf8')]
      }),
    )
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function buf(root: string, words: readonly string[]): void {
  const program = join(root, 'node_modules/@bufbuild/buf/bin/buf')
  const ran = spawnSync(process.execPath, [program, ...words], { cwd: join(root, 'proto'), encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(`buf ${words[0]}: ${ran.stderr}${ran.stdout}`)
}
