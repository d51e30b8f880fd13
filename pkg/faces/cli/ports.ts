import type { Env } from '#pkg/platform/settings'

/** What the process gives to the command line. */
export type CliDeps = {
  /** Version of this program. */
  readonly version: string
  /** How hints call this program. Default: as it was started. */
  readonly program?: string
  /** The environment, asked for by the commands that have settings. */
  readonly env: () => Promise<Env>
  /** Writes to stdout; resolves when the reader has room. */
  readonly stdout: (text: string) => Promise<void>
  readonly stderr: (text: string) => void
  /** The whole of stdin, up to a limit of bytes; throws beyond it. */
  readonly stdin: (maxBytes: number) => Promise<Uint8Array>
  /** True when stdout is a terminal that shows colours, and nobody has asked for none. */
  readonly hasColors: boolean
  /** True when stderr is a terminal: progress is shown there. Absent = false. */
  readonly isTerminal?: boolean
  /** True when stdin is a terminal: Ctrl-C then reaches programs that were started here by itself. Absent = false. */
  readonly isInteractive?: boolean
  /** Opens an address in a browser; answers null, or why it could not. Absent where stdout is no terminal. */
  readonly openInBrowser?: (url: string) => Promise<string | null>
  /** Calls for SIGINT and SIGTERM. Answers how to stop listening; without a listener the system's default holds. */
  readonly onSignal: (listener: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void
  /** Ends the process at once. */
  readonly exitNow: (status: number) => never
}

/** The ways in which a result can be printed. */
export const FORMATS = ['table', 'wide', 'json', 'yaml'] as const

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]

/** Options that every command takes. */
export type Globals = {
  readonly namespace?: string
  readonly address?: string
  readonly data?: string
  readonly output?: Format
  readonly color: boolean
  readonly verbose?: boolean
}

/** What a command is given besides its own words. */
export type Context = {
  readonly deps: CliDeps
  /** How hints call this program: `./sallyctl`. */
  readonly program: string
  /** The command ends with this exit status unless it throws. */
  readonly exit: (status: number) => void
}

/** Options of `up` besides the global ones; each is a flag of `upSettings`. */
export type UpOptions = Globals & {
  readonly policies?: string
  readonly port?: string
  readonly adminPort?: string
  readonly upstream?: readonly string[]
  readonly mcp?: readonly string[]
  readonly a2a?: readonly string[]
  readonly a2aServer?: readonly string[]
  readonly workloadSocket?: readonly string[]
  readonly trustDomain?: string
  readonly egressAddress?: readonly string[]
  readonly upstreamHttp2?: boolean
  readonly simulate?: boolean
  readonly limit?: readonly string[]
  readonly logLevel?: string
}

/** Options of `run` besides the global ones. */
export type RunOptions = Globals & Pick<UpOptions, 'policies' | 'upstream' | 'simulate'> & { readonly agent?: string }

/** Options of `bug-report` besides the global ones. */
export type BugReportOptions = Globals & {
  readonly file?: string
  readonly log?: string
  readonly policies?: string
  readonly dryRun?: boolean
}
