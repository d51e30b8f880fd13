import { fsyncSync, writeSync } from 'node:fs'
import type { AgentKey, Reason } from '#pkg/model'

/** The ceiling that a person sets on one agent: its `Agent` file. POLICY.md "Agent". */
export type AgentCeiling = {
  readonly key: AgentKey
  readonly state: 'Active' | 'Quarantined'
  /** Required by the schema unless Active; goes into the log. */
  readonly reason: string
  readonly releaseThroughEpoch: number
}

/** Why the firewall severs. */
export type SeverCause = { readonly code: Reason; readonly verdictId: string }

/** The two system calls that make a change last. Tests put a full disk here. */
export type StateDisk = {
  /** As `fs.writeSync`: may write less than all; the number of bytes written. */
  write(fd: number, bytes: Uint8Array): number
  /** As `fs.fsyncSync`. */
  sync(fd: number): void
}

/** The disk of this machine. */
export const systemDisk: StateDisk = { write: writeSync, sync: fsyncSync }
