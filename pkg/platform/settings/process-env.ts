/** Names and values of an environment. */
export type Env = Readonly<Record<string, string | undefined>>

/** The environment of this process, as it is now. The only place that looks at it. */
export function processEnv(): Env {
  return { ...process.env }
}
