import { type CelEnv, type CelInput, CelScalar, celEnv, celFunc, isCelError, parse, plan } from '@bufbuild/cel'
import { Cache } from './cache.ts'
import { compilePattern } from './pattern.ts'
import { faultOf, loopDepth } from './rule-check.ts'

/** What a rule may speak of. POLICY.md "arguments.rules". Numbers of JSON are doubles; `session` and `peer` are null where there is none. */
export type RuleBindings = {
  readonly args: Readonly<Record<string, unknown>>
  readonly agent: {
    readonly namespace: string
    readonly name: string
    readonly role: string
    readonly labels: Readonly<Record<string, string>>
  }
  readonly session: {
    readonly id: string
    readonly tainted: boolean
    readonly labels: readonly string[]
    readonly calls: number
  } | null
  readonly tool: { readonly name: string; readonly server: string }
  readonly peer: { readonly namespace: string; readonly name: string } | null
}

/** A compiled rule. */
export type Rule = {
  /** `error` also for a value that is no bool, and for arguments beyond {@link MAX_RULE_WORK}: it denies. */
  holds(bindings: RuleBindings): boolean | 'error'
}

/** A program, or what is wrong with the expression. */
export type CompiledRule =
  | { readonly ok: true; readonly program: Rule }
  | { readonly ok: false; readonly message: string }

/** Longest expression, UTF-16 units. */
export const MAX_EXPRESSION_LENGTH = 4096
/** Deepest nesting of brackets, and of the syntax tree. */
export const MAX_EXPRESSION_DEPTH = 64
/** Macros (`all`, `exists`, `map`, …) inside macros. */
export const MAX_LOOP_DEPTH = 2
/** Steps of the innermost macro, each counted as 64 units plus the longest string it could look at. */
export const MAX_RULE_WORK = 64 * 1024 * 1024
/** Steps of the innermost macro that one evaluation may take. */
export const MAX_RULE_STEPS = 20_000

const programs = new Cache<CompiledRule>(4096)
let shared: CelEnv | null = null

/** Compiles one CEL expression that yields a bool. Unknown variables and functions are faults. Cached by text. */
export function compileRule(expression: string): CompiledRule {
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    return {
      ok: false,
      message: `the expression is ${expression.length} characters long, ${MAX_EXPRESSION_LENGTH} are allowed`,
    }
  }
  return programs.get(expression, () => compile(expression))
}

function compile(expression: string): CompiledRule {
  if (bracketDepth(expression) > MAX_EXPRESSION_DEPTH) {
    return { ok: false, message: `the expression is nested deeper than ${MAX_EXPRESSION_DEPTH}` }
  }
  try {
    shared ??= newEnv()
    const env = shared
    const { expr } = parse(expression)
    const fault = faultOf(expr, {
      isFunction: (name) => env.funcs.find(name) !== undefined,
      maxDepth: MAX_EXPRESSION_DEPTH,
    })
    if (fault !== null) return { ok: false, message: fault }
    const loops = loopDepth(expr)
    if (loops > MAX_LOOP_DEPTH) return { ok: false, message: `macros are nested deeper than ${MAX_LOOP_DEPTH}` }
    return { ok: true, program: programOf(plan(env, expr), loops) }
  } catch (cause) {
    return { ok: false, message: cause instanceof Error ? cause.message : 'the expression does not parse' }
  }
}

function programOf(run: (bindings: Record<string, CelInput>) => unknown, loops: number): Rule {
  return {
    holds(bindings) {
      if (loops > 0 && !affordable(bindings.args, loops)) return 'error'
      try {
        // JSON values and plain records are inputs of CEL; the library's type cannot say so of `unknown`.
        const value = run(bindings as unknown as Record<string, CelInput>)
        return typeof value === 'boolean' && !isCelError(value) ? value : 'error'
      } catch {
        return 'error'
      }
    },
  }
}

/** Would macros over these arguments stay within the steps and the work that one rule may take? Iterative, O(size). */
function affordable(args: unknown, loops: number): boolean {
  let elements = 1
  let units = 0
  const stack: unknown[] = [args]
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (typeof value === 'string') units = Math.max(units, value.length)
    if (typeof value !== 'object' || value === null) continue
    const inner = Object.values(value)
    elements = Math.max(elements, inner.length)
    for (const one of inner) stack.push(one)
  }
  const steps = elements ** loops
  return steps <= MAX_RULE_STEPS && steps * (units + 64) <= MAX_RULE_WORK
}

/** The parser recurses over brackets; this is asked before it runs. Brackets inside strings count too: harmless. */
function bracketDepth(expression: string): number {
  let depth = 0
  let deepest = 0
  for (const unit of expression) {
    if (unit === '(' || unit === '[' || unit === '{') depth += 1
    else if (unit === ')' || unit === ']' || unit === '}') depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

function newEnv(): CelEnv {
  const { STRING, BOOL } = CelScalar
  const matches = celFunc('matches', [STRING, STRING], BOOL, (text, pattern) => compilePattern(pattern).test(text))
  return celEnv({ re2: { compile: compilePattern }, funcs: [matches] })
}
