import { compileRule } from './rule.ts'
import { compileSchema } from './schema.ts'

/** Whether an expression or a schema compiles: null, or what is wrong with it. The port that validation and `compile` ask for. */
export type Checks = { cel(expression: string): string | null; schema(schema: unknown): string | null }

/** The checks of this room as a port. */
export const compileChecks: Checks = {
  cel(expression) {
    const compiled = compileRule(expression)
    return compiled.ok ? null : compiled.message
  },
  schema(schema) {
    const compiled = compileSchema(schema)
    return compiled.ok ? null : compiled.message
  },
}
