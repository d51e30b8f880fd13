import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ROOT } from './fixtures/run-cli.ts'

const MAX_GZIP_BYTES = 100 * 1024

test('[DASH-08] the page is four files of at most 100 KiB (gzip), made of its own room and of two libraries', () => {
  const out = mkdtempSync(join(tmpdir(), 'sp-bundle-'))
  try {
    const made = spawnSync(process.execPath, [join(ROOT, 'scripts/build-dashboard.ts'), out], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    const names = readdirSync(out).sort()
    assert.deepEqual(names, ['app.css', 'app.js', 'icon.svg', 'index.html', 'inputs.txt'])
    const read = (name: string): string => readFileSync(join(out, name), 'utf8')
    const bytes = ['app.css', 'app.js', 'icon.svg', 'index.html'].map((name) => gzipSync(read(name)).length)
    const sum = bytes.reduce((all, each) => all + each, 0)
    assert.ok(sum <= MAX_GZIP_BYTES, `${sum} bytes`)

    const inputs = read('inputs.txt').trim().split('\n')
    const odd = inputs.filter(
      (path) => !/^pkg\/faces\/dashboard\/browser\/|\/?node_modules\/(?:lit|lit-html|uplot)\//.test(path),
    )
    assert.deepEqual(odd, [])
    assert.deepEqual(
      inputs.filter((path) => /\.test\.ts$|unsafe-|static\.js$/.test(path)),
      [],
    )
    assert.equal(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i.test(read('index.html')), false, 'nothing inline')
    assert.deepEqual(read('app.js').match(/createPolicy\("[^"]*"/g), ['createPolicy("lit-html"'])
    assert.equal(/url\(|@import/.test(read('app.css')), false, 'a style that loads something')
  } finally {
    rmSync(out, { recursive: true })
  }
})

test('[DASH-08] no source of the page makes markup of a text', () => {
  const dir = join(ROOT, 'pkg/faces/dashboard/browser')
  const sources = readdirSync(dir).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  assert.ok(sources.length > 15)
  for (const name of sources)
    assert.doesNotMatch(
      readFileSync(join(dir, name), 'utf8'),
      /unsafeHTML|unsafeSVG|unsafeStatic|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|\bstyle=/,
      name,
    )
})
