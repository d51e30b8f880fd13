import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '#pkg/platform/log'
import { openLifecycle } from './index.ts'
import { active, brief, clock, codeOf, ddl, inFolder, marketing, opened, research, verb } from './lifecycle.fixture.ts'
import { sealed } from './row-codec.ts'

async function severedFile(dataDir: string): Promise<Buffer> {
  opened(dataDir, (life) => {
    life.apply([active(), active(research)])
    life.sever(research, ddl)
    life.sever(marketing, ddl)
  })
  return await readFile(join(dataDir, 'state.jsonl'))
}

test('[LIFE-08] a file cut at any byte loses at most its last line, or is refused; never anything else', () =>
  inFolder(async (dataDir) => {
    const whole = await severedFile(dataDir)
    const header = whole.indexOf('\n') + 1
    const first = whole.indexOf('\n', header) + 1
    for (let cut = 0; cut <= whole.length; cut += 1) {
      await writeFile(join(dataDir, 'state.jsonl'), whole.subarray(0, cut))
      const open = (): void =>
        opened(dataDir, (life) => {
          life.apply([active(), active(research)])
          assert.equal(brief(life.standingOf(research)), cut >= first ? 'Quarantined@2' : 'Active@1', `cut at ${cut}`)
          assert.equal(brief(life.standingOf(marketing)), cut === whole.length ? 'Quarantined@2' : 'Active@1')
        })
      if (cut < header) assert.equal(codeOf(open), 'STATE_UNAVAILABLE', `cut at ${cut}`)
      else open()
    }
  }))

test('[LIFE-08] a flipped bit anywhere is refused, or cuts a last line that lost its end', () =>
  inFolder(async (dataDir) => {
    const whole = await severedFile(dataDir)
    for (let at = 0; at < whole.length - 1; at += 1) {
      const broken = Buffer.from(whole)
      broken[at] = (broken[at] ?? 0) ^ 0x04
      await writeFile(join(dataDir, 'state.jsonl'), broken)
      assert.equal(
        codeOf(() => opened(dataDir, () => {})),
        'STATE_UNAVAILABLE',
        `bit at ${at}`,
      )
    }
  }))

test('[LIFE-08] lines in the wrong order, another version and a blank line are refused', () =>
  inFolder(async (dataDir) => {
    const text = (await severedFile(dataDir)).toString()
    const [header = '', one = '', two = ''] = text.split('\n')
    opened(dataDir, (life) => {
      life.apply([active(research, 2)])
      life.sever(research, ddl)
    })
    const later = (await readFile(join(dataDir, 'state.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('research'))
    for (const lines of [
      [header, later.at(-1) ?? '', one, two],
      [sealed('{"sallyport":"state","version":3}').trimEnd(), one],
      [header, '', one],
      [one, two],
    ]) {
      await writeFile(join(dataDir, 'state.jsonl'), `${lines.join('\n')}\n`)
      assert.equal(
        codeOf(() => opened(dataDir, () => {})),
        'STATE_UNAVAILABLE',
        lines.join('|'),
      )
    }
  }))

test('[LIFE-09] what is kept is for its owner alone, and looser bits are tightened', () =>
  inFolder(async (dataDir) => {
    await severedFile(dataDir)
    await chmod(join(dataDir, 'state.jsonl'), 0o644)
    opened(dataDir, () => {})
    assert.equal((await stat(join(dataDir, 'state.jsonl'))).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(dataDir), ['state.jsonl'])
  }))

test('[LIFE-10] the file is compacted at start and when it grows beyond its limit', () =>
  inFolder(async (dataDir) => {
    const life = openLifecycle({ clock, log: silentLog }, { dataDir, maxStateBytes: 4_096 })
    for (let epoch = 1; epoch <= 300; epoch += 1) {
      life.apply([active(marketing, epoch)])
      life.sever(marketing, ddl)
    }
    assert.equal(brief(life.standingOf(marketing)), 'Quarantined@301')
    life.close()
    assert.ok((await stat(join(dataDir, 'state.jsonl'))).size < 16_384, 'bounded while running')
    opened(dataDir, (again) => {
      again.apply([active(marketing, 300)])
      assert.equal(brief(again.standingOf(marketing)), 'Quarantined@301')
    })
    assert.equal((await readFile(join(dataDir, 'state.jsonl'), 'utf8')).trimEnd().split('\n').length, 2)
  }))

test('[LIFE-21] a file of version 1 is read on: its holds stand, and what it did not know is as in a new row', () =>
  inFolder(async (dataDir) => {
    const hold = { epoch: 2, state: 'Quarantined', source: 'Firewall', code: 'X', verdictId: 'v_1', since: 'then' }
    const row = { agent: marketing, epoch: 2, ceiling: 'Active', release: { asked: 0, granted: 0 }, holds: [hold] }
    const text = sealed('{"sallyport":"state","version":1}') + sealed(JSON.stringify(row))
    await writeFile(join(dataDir, 'state.jsonl'), text)
    opened(dataDir, (life) => {
      life.apply([active()])
      assert.equal(brief(life.standingOf(marketing)), 'Quarantined@2')
      assert.deepEqual(life.standingOf(marketing)?.holds, [hold])
      life.move(marketing, verb('terminate', { force: true }))
    })
    assert.match(await readFile(join(dataDir, 'state.jsonl'), 'utf8'), /"version":2/)
    opened(dataDir, (life) => {
      life.apply([active()])
      assert.equal(brief(life.standingOf(marketing)), 'Terminated@3')
    })
  }))
