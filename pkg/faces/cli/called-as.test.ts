import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hintsOf, programOf } from './called-as.ts'
import { whereOf } from './target.ts'

const programs: readonly (readonly [name: string, script: string | undefined, cwd: string | null, program: string])[] =
  [
    ['a clone, from its root', '/src/clone/cmd/sallyctl/sallyctl.js', '/src/clone', './sallyctl'],
    ['a clone, from above', '/src/clone/cmd/sallyctl/main.ts', '/src', './clone/sallyctl'],
    ['a clone, from elsewhere', '/src/clone/cmd/sallyctl/sallyctl.js', '/home/a', '/src/clone/sallyctl'],
    ['a clone, from a folder that is gone', '/src/clone/cmd/sallyctl/sallyctl.js', null, '/src/clone/sallyctl'],
    ['a path with a space', '/my src/cmd/sallyctl/sallyctl.js', '/', "'./my src/sallyctl'"],
    ['the bundle', '/src/clone/dist/sallyctl.mjs', '/src/clone', 'node ./dist/sallyctl.mjs'],
    ['a program on the PATH', '/usr/local/bin/sallyctl', '/home/a', 'sallyctl'],
    ['nothing known', undefined, '/', 'sallyctl'],
  ]

for (const [name, script, cwd, program] of programs)
  test(`[CLI-06] hints call the program as it was called: ${name}`, () => assert.equal(programOf(script, cwd), program))

test('[CLI-06] hints name the data folder unless it is the default one, quoted for a shell', () => {
  const hint = (dataDir: string): string => hintsOf('./sallyctl', whereOf(dataDir, '/home/a/data'))('agents a/b')
  assert.equal(hint('/home/a/data'), './sallyctl agents a/b')
  assert.equal(hint('other'), './sallyctl agents a/b --data other')
  assert.equal(hint("it's"), "./sallyctl agents a/b --data 'it'\\''s'")
})
