import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '#pkg/platform/log'
import { readCaFile } from './ca-file.ts'

/** How a journal of the first version begins. */
const FIRST_HEADER = 'sallyport ca journal 1'

/**
 * A CA of the first version is set aside, whole, as `DIR.1`, so that a new one is made: only we could read its certificates. Told
 * as a warning; a journal of another trust domain is left for its reader to refuse.
 */
export function setAsideFirstVersion(dir: string, trustDomain: string, log: Log): void {
  const [head = ''] = (readCaFile(join(dir, 'journal.jsonl'), log)?.toString('utf8') ?? '').split('\n')
  if (head !== JSON.stringify({ format: FIRST_HEADER, trustDomain })) return
  let aside = `${dir}.1`
  for (let more = 2; existsSync(aside); more += 1) aside = `${dir}.1-${more}`
  renameSync(dir, aside)
  log.warn('ca-of-first-version-set-aside', {
    from: dir,
    to: aside,
    because: 'its certificates are read by nobody else',
  })
}
