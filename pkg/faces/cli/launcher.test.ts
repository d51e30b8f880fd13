import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT, run, SALLYCTL, spawned } from '../../../test/fixtures/run-cli.ts'

test('[CLI-10] ./sallyctl runs from anywhere, through a link, and knows its version', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-cli-'))
  try {
    symlinkSync(SALLYCTL, join(dir, 'one'))
    symlinkSync('one', join(dir, 'two'))
    const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version
    for (const program of [SALLYCTL, join(dir, 'two')])
      assert.deepEqual(await spawned(program, ['version']), { status: 0, out: `sallyctl ${version}\n`, err: '' })
    const launcher = join(ROOT, 'cmd/sallyctl/sallyctl.js')
    assert.equal((await spawned(process.execPath, [launcher, 'version'])).out, `sallyctl ${version}\n`)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('[CLI-10] without libraries both launchers say "make setup" and exit 69', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sp-cli-'))
  try {
    mkdirSync(join(dir, 'cmd/sallyctl'), { recursive: true })
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    copyFileSync(SALLYCTL, join(dir, 'sallyctl'))
    chmodSync(join(dir, 'sallyctl'), 0o755)
    copyFileSync(join(ROOT, 'cmd/sallyctl/sallyctl.js'), join(dir, 'cmd/sallyctl/sallyctl.js'))
    for (const [program, words] of [
      [join(dir, 'sallyctl'), ['version']],
      [process.execPath, [join(dir, 'cmd/sallyctl/sallyctl.js'), 'version']],
    ] as const) {
      const { status, out, err } = await spawned(program, words)
      assert.equal(status, 69)
      assert.equal(out, '')
      assert.match(err, /make setup/)
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('[CLI-01] version loads commander and nothing heavier', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ resolve: (name, context, next) => { const found = next(name, context); seen.push(found.url); return found } })
    process.argv.splice(1, 0, 'x')
    process.on('exit', () => console.error(JSON.stringify(seen)))
    await import('./cmd/sallyctl/main.ts')`
  const { err, status } = await spawned(process.execPath, [
    '--input-type=module',
    '--eval',
    `process.chdir(${JSON.stringify(ROOT)});${script}`,
    'version',
  ])
  assert.equal(status, 0, err)
  const heavy = /node_modules\/(?!commander)|pkg\/(?!faces\/cli|model)/
  assert.deepEqual(
    (JSON.parse(err) as readonly string[]).filter((url) => heavy.test(url)),
    [],
  )
})

test('[CLI-01] completion scripts name every command, and the one for bash completes', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out, status } = await run(['completion', shell])
    assert.equal(status, 0)
    for (const word of ['up', 'effective', 'verdicts', '--follow', '--address'])
      assert.ok(out.includes(word), `${shell} ${word}`)
  }
  assert.equal((await run(['completion', 'powershell'])).status, 64)
  const { out } = await run(['completion', 'bash'])
  const rows: readonly (readonly [string, string])[] = [
    ['sallyctl ver', 'verdicts version'],
    ['sallyctl policy ef', 'effective'],
    ['sallyctl -o json verdicts --fol', '--follow'],
    ['sallyctl completion z', 'zsh'],
  ]
  for (const [typed, wanted] of rows) {
    const words = typed.split(' ')
    const asked = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _sallyctl; echo "\${COMPREPLY[@]}"`
    assert.deepEqual(await spawned('bash', ['-c', `${out}\n${asked}`]), { status: 0, out: `${wanted}\n`, err: '' })
  }
})
