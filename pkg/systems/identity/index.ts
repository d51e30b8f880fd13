/**
 * identity: which agent is speaking. In the standalone process that is a local token per agent.
 *
 * In:  the agents of the folder (`ensure`), and the token of a request.
 * Out: the agent that a token belongs to, or null; the token to print on the ready line.
 * Tokens are `sp_vk_` + 40 characters, kept in `DIR/tokens` (0600), the same after a restart and after an agent that
 * goes and comes back; while it is gone its token opens nothing.
 *
 * Never: prints a token into a log or an error, compares tokens character by character, sends one on.
 */
export * from './tokens.ts'
