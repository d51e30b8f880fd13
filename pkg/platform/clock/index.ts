/**
 * clock: what time it is, for everything that keeps, measures or prints time.
 *
 * In:  nothing.
 * Out: the Clock that all rooms take through their deps, the system's own, and one that tests turn by hand.
 * Never: a timer; waits belong to the room that waits.
 */
export * from './clock.ts'
