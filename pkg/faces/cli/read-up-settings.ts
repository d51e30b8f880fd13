import { SallyportError } from '#pkg/model/errors'
import { readSettings, settingsError, type UpSettings, upSettings } from '#pkg/platform/settings'
import type { CliDeps, UpOptions } from './ports.ts'

/**
 * Flags before environment before default. `-v` is `--log-level debug`.
 * @throws SallyportError SETTINGS_INVALID with every fault.
 */
export async function readUpSettings(deps: CliDeps, options: UpOptions): Promise<UpSettings> {
  const {
    policies,
    data,
    port,
    adminPort,
    upstream,
    mcp,
    a2a,
    a2aServer,
    workloadSocket,
    trustDomain,
    egressAddress,
    upstreamHttp2,
    simulate,
    limit,
    verbose,
    output,
  } = options
  if (output === 'yaml') throw new SallyportError('SETTINGS_INVALID', '--output: "up" prints json or text')
  const words = output === undefined ? undefined : output === 'json' ? 'json' : 'text'
  const logLevel = options.logLevel ?? (verbose === true ? 'debug' : undefined)
  const flags = {
    policies,
    data,
    port,
    adminPort,
    upstream,
    mcp,
    a2a,
    a2aServer,
    workloadSocket,
    trustDomain,
    egressAddress,
    upstreamHttp2,
    simulate,
    limit,
    logLevel,
    output: words,
  }
  const read = readSettings(upSettings, { flags, env: await deps.env() }, { otherEnv: ['SALLYPORT_ADMIN_TOKEN'] })
  if (!read.ok) throw settingsError(read.faults)
  if (read.values.simulate && upstream !== undefined)
    throw new SallyportError(
      'SETTINGS_INVALID',
      '--simulate: stands in for every provider; leave out --upstream, or it',
    )
  return read.values
}
