import type { Stage } from '../stage.ts'

/** One refusal as the record has to hold it: `default/marketing Deny INTENT_SQL_DDL`. */
export type Refusal = string

/**
 * One scene: plays, claims what has to hold, and gives back what was refused in it. One more is one more file, and its name in
 * the list of demo.ts.
 */
export type Scene = (stage: Stage) => Promise<readonly Refusal[]>

/** Of a scene in which all went through. */
export const NOTHING_REFUSED: readonly Refusal[] = []
