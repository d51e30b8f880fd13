/**
 * policy: (subject, Finding[], Snapshot) → Verdict, and a Permit when it allows.
 *
 * In:  what `firewall` saw, the compiled rules of one agent, and its standing.
 * Out: a Verdict that names its deciding rule; the only Permits in the process.
 * Never: I/O, clocks, protocol names, a throw. Doubt is Deny. DESIGN §6, POLICY.md "Merge".
 */
export { type Case, type Decision, decide, isLive } from './decide.ts'
