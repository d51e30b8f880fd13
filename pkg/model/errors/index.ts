/**
 * errors: the one error class, every code, and one table per edge.
 *
 * In:  nothing.
 * Out: SallyportError and what HTTP and the exit status make of each code.
 * Never: refusals; those are verdicts with a reason (model/reasons.ts).
 */
export * from './codes.ts'
export * from './sallyport-error.ts'
