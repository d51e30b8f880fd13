/**
 * model: the words of Sallyport. Types, closed sets and pure functions; it imports nothing.
 *
 * In:  nothing.
 * Out: the nouns of DESIGN §3 as types, and the interfaces at which the rooms of the path meet: `Dialect`,
 *      `Inspection`, `ClientLeg`, `OpenUpstream`.
 * Never: I/O, clocks, randomness, a library.
 */
export * from './action.ts'
export * from './agent.ts'
export * from './audit.ts'
export * from './dialect.ts'
export * from './exchange.ts'
export * from './finding.ts'
export * from './frame.ts'
export * from './glob.ts'
export * from './history.ts'
export * from './inspection.ts'
export * from './intents.ts'
export * from './limits.ts'
export * from './message.ts'
export * from './reasons.ts'
export * from './snapshot.ts'
export * from './taxonomy.ts'
export * from './taxonomy-lists.ts'
export * from './text-call.ts'
export * from './threat-classes.ts'
export * from './verdict.ts'
