import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditVerification } from '#pkg/systems/audit'
import { claim, count, must, table, tell, title } from '../say.ts'
import type { Stage } from '../stage.ts'

type Tampering = { readonly name: string; readonly change: (lines: readonly string[]) => readonly string[] }

/** What somebody might do to the record who would rather have been let through. */
const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'a Sever becomes an Allow',
    change: (lines) => lines.map((line) => line.replace('"action":"Sever"', '"action":"Allow"')),
  },
  { name: 'a line is taken out', change: (lines) => lines.filter((line) => !line.includes('"action":"Sever"')) },
  { name: 'the last hour is cut off', change: (lines) => lines.slice(0, Math.ceil(lines.length / 2)) },
  {
    name: 'two lines change places',
    change: ([first = '', second = '', third = '', ...rest]) => [first, third, second, ...rest],
  },
]

/** (e) The record of all this verifies; a copy that was changed does not. */
export async function evidence(stage: Stage): Promise<void> {
  title('(e) The record of it all: one chain of hashes, whose end is signed')
  const whole = await stage.sallyport.verify(stage.data)
  claim(whole.ok, `sallyctl audit verify: OK, ${count(whole.events)} events, while the process runs`, whole)
  tell('Four copies of the folder are changed, and verified again:')
  const rows: string[][] = []
  for (const [at, { name, change }] of TAMPERINGS.entries()) {
    const copy = join(stage.data, `copy-${at + 1}`)
    mkdirSync(copy)
    for (const file of readdirSync(stage.data))
      if (file.startsWith('audit')) cpSync(join(stage.data, file), join(copy, file))
    const path = join(copy, 'audit.jsonl')
    const before = readFileSync(path, 'utf8')
    const changed = change(before.trimEnd().split('\n'))
      .map((line) => `${line}\n`)
      .join('')
    must(changed !== before, `the copy was changed: ${name}`)
    writeFileSync(path, changed)
    const found: AuditVerification = await stage.sallyport.verify(copy)
    must(!found.ok, `${name}: it is found`, found)
    const [first] = found.faults
    rows.push([name, first?.code ?? '', `${first?.file}:${first?.line ?? 'its end'}`])
  }
  table(['what was done', 'found as', 'where'], rows)
  claim(true, 'each of the four is found')
}
