import { hash } from 'node:crypto'
import type { AuditEvent } from '#pkg/model'

/** What each line says of its place: its number from 1, and the digest of the line before. */
export type Link = { readonly seq: number; readonly prev: string }

/** No event of ours is that long: of a longer line nothing is kept. */
export const MAX_LINE_BYTES = 1024 * 1024

/** SHA-256 of a line without its line feed, base64url. */
export function digestOf(line: Uint8Array): string {
  return hash('sha256', line, 'base64url')
}

/** What the first line names as the one before: the digest of nothing. */
export const NO_LINE = digestOf(new Uint8Array())

/** An event as a line of the log, without its line feed. */
export function lineOf({ seq, prev }: Link, event: AuditEvent): string {
  return `{"seq":${seq},"prev":"${prev}",${JSON.stringify(event).slice(1)}`
}

/** The place that a line claims, or null: it was not written by this log, or was changed. */
export function linkOf(value: unknown): Link | null {
  if (typeof value !== 'object' || value === null || !('seq' in value) || !('prev' in value)) return null
  const { seq, prev } = value
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || typeof prev !== 'string') return null
  return { seq, prev }
}
