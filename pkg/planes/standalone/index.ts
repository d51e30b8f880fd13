/**
 * standalone: both planes in one process, with a folder of YAML as the source of policies.
 *
 * In:  the folder of policies, the data folder, the providers' addresses.
 * Out: a facade that agents talk to, and what the faces show of it: agents, verdicts, rules, health.
 * A changed file takes effect without a restart; a broken one keeps its last good version and is named by line.
 *
 * Never: Kubernetes, a listener beyond loopback, an answer without a verdict. DESIGN §8, "black box".
 */

export { dialectNames } from '#pkg/planes/sidecar'
export { makeDataFolder } from './data-folder.ts'
export type {
  Advice,
  AgentStatus,
  Explained,
  Standalone,
  StandaloneDeps,
  StandaloneOptions,
  UpstreamSetting,
  VerdictReader,
} from './ports.ts'
export { startSimulated } from './simulated.ts'
export { startStandalone } from './standalone.ts'
