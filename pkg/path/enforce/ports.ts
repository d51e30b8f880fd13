import type { Finding, HistoryCall, Inspection, RestoreRecord, Subject, TextCallScanner, Verdict } from '#pkg/model'

/** The judge: asks `policy`, writes the verdict down, and starts what a Sever starts. Wired by the plane. */
export interface Judge {
  /** The verdict on one call, and whether its bytes may leave. */
  call(
    subject: Subject,
    findings: readonly Finding[],
    startedUs: number,
  ): { readonly verdict: Verdict; readonly open: boolean }
  /** Would these findings let the call pass? Nothing is written down. */
  lets(subject: Subject, findings: readonly Finding[]): boolean
  /** The verdict on the answer as a whole: it ends. */
  stream(findings: readonly Finding[]): Verdict
  /** The clock of verdict times, µs, monotonic. */
  nowUs(): number
}

/** The exchange around an answer, as far as carrying out a verdict needs it. Wired by the plane. */
export interface Surroundings {
  /** A fresh inspection by the rules that hold now. */
  inspect(): Inspection
  /** The generation of the rules that hold now. */
  generation(): number
  /** A scanner for one more channel; null when the agent's text cannot hold calls. */
  scanner(): TextCallScanner
  /** May this tool's name be printed? DESIGN §6. */
  isNamed(tool: string): boolean
  /** A call that the model proposed goes to the agent. WIRE.md §3. */
  released(call: HistoryCall): void
  /** Remembers a refused call. WIRE.md rule 11. */
  keep(record: RestoreRecord): void
  /** null while the exchange may go on; else the verdict that ends it. Asked at every write. */
  ended(): Verdict | null
}
