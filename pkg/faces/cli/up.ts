import type { Command } from 'commander'
import type { Context, UpOptions } from './ports.ts'

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** The options about who agents are, and how they reach each other. */
function withIdentity(command: Command): Command {
  return command
    .option(
      '--a2a-server <agent=url>',
      "address of an agent's own A2A server, by NAMESPACE/NAME; those of its a2a.inbound reach it at /agents/NAMESPACE/NAME/a2a; repeatable (SALLYPORT_A2A_SERVER)",
      several,
    )
    .option(
      '--workload-socket <[agent=]path>',
      'Unix socket on which an agent is served the SPIFFE Workload API, by NAMESPACE/NAME; without it the only agent; its policy has to say pod.workloadApi: Open; repeatable (SALLYPORT_WORKLOAD_SOCKET)',
      several,
    )
    .option('--trust-domain <name>', 'of the SPIFFE IDs of agents (SALLYPORT_TRUST_DOMAIN; default sallyport.local)')
}

/** `sallyctl up` */
export function defineUp(parent: Command, context: Context): void {
  withIdentity(parent.command('up'))
    .description('Run the firewall in this process until SIGTERM or SIGINT; a second signal ends it at once.')
    .option(
      '--policies <dir>',
      'folder of AgentPolicy and Agent files (SALLYPORT_POLICIES); default: policies/ in the data folder, made with a starter policy when it is not there',
    )
    .option('--port <port>', 'of the facade on 127.0.0.1 (SALLYPORT_PORT; default 16080; 0 = a free one)')
    .option(
      '--admin-port <port>',
      'of the admin API on 127.0.0.1 (SALLYPORT_ADMIN_PORT; default 17446; 0 = a free one)',
    )
    .option(
      '--upstream <name=url>',
      'base URL of a provider, as its SDK takes it; repeatable (SALLYPORT_UPSTREAM)',
      several,
    )
    .option(
      '--mcp <name=url>',
      'address of an MCP server, in the place of the url in mcp.servers; grants nothing; repeatable (SALLYPORT_MCP)',
      several,
    )
    .option(
      '--a2a <name=url>',
      'address of another agent, in the place of the url in a2a.outbound; grants nothing; repeatable (SALLYPORT_A2A)',
      several,
    )
    .option(
      '--egress-address <host=address>',
      'address of an egress host, in the place of what DNS says; may be private; grants nothing; repeatable (SALLYPORT_EGRESS_ADDRESS)',
      several,
    )
    .option(
      '--upstream-http2',
      'HTTP/2 with providers whose TLS chooses it; for many streams at once (SALLYPORT_UPSTREAM_HTTP2)',
    )
    .option('--simulate', 'a simulated provider in the place of all of them: no key, no cost (SALLYPORT_SIMULATE)')
    .option(
      '--limit <name=value>',
      'one cap of the path, such as argumentBytes=256KiB; repeatable (SALLYPORT_LIMIT)',
      several,
    )
    .option('--log-level <level>', 'debug, info, warn or error (SALLYPORT_LOG_LEVEL; default info); logs go to stderr')
    .addHelpText(
      'after',
      '\nThe keys of the providers come from OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY and OPENAI_COMPATIBLE_API_KEY; unset, requests go on without one.',
    )
    .action(async (_options, command: Command) => {
      const { readUpSettings } = await import('./read-up-settings.ts')
      const settings = await readUpSettings(context.deps, command.optsWithGlobals<UpOptions>())
      const { runUp } = await import('./up-run.ts')
      await runUp(context, settings)
    })
}
