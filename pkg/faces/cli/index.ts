/**
 * cli: sallyctl, for people and scripts. One file per command.
 *
 * In:  the words after `sallyctl`, the environment, and three streams.
 * Out: tables for people, JSON or YAML for programs on stdout; what went wrong on stderr; an exit status (CLI.md).
 * `up` wires planes/standalone with faces/admin; the other verbs ask the running process through its admin socket, or
 * through `--address`. What comes from an agent is escaped before it reaches a terminal. Every heavy import waits
 * until its command runs: `version` and `completion` load commander alone.
 *
 * Never: a decision about a call, a token on stderr, a control character of somebody else on a terminal.
 */
export { openInBrowser } from './open-browser.ts'
export { type CliDeps, runCli } from './run.ts'
