import type { parse } from '@bufbuild/cel'

/** A node of a parsed expression. */
export type Expr = ReturnType<typeof parse>['expr']

/** What the walk over a parsed expression may rely on. */
export type Known = { readonly isFunction: (name: string) => boolean; readonly maxDepth: number }

const VARIABLES = ['args', 'agent', 'session', 'tool', 'peer']
const TYPES = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type', 'type']
/** Operators that the planner carries out itself. */
const OPERATORS = ['_[_]', '_?_:_', '_&&_', '_||_', '@not_strictly_false', '__not_strictly_false__']
/** Functions whose result is never a bool. */
const NEVER_BOOL = [
  '_+_',
  '_-_',
  '_*_',
  '_/_',
  '_%_',
  '-_',
  'size',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'type',
  'duration',
  'timestamp',
]

/** What is wrong with a parsed expression, or null: unknown names, depth, a result that cannot be a bool. */
export function faultOf(expr: Expr, known: Known): string | null {
  const fault = walk(expr, new Set([...VARIABLES, ...TYPES]), 0, known)
  return fault ?? (neverBool(expr) ? 'the expression must yield true or false' : null)
}

/** How deep macros stand inside macros. */
export function loopDepth(expr: Expr): number {
  const own = expr.exprKind.case === 'comprehensionExpr' ? 1 : 0
  return own + Math.max(0, ...childrenOf(expr).map(loopDepth))
}

function walk(expr: Expr, names: ReadonlySet<string>, depth: number, known: Known): string | null {
  if (depth > known.maxDepth) return `the expression is nested deeper than ${known.maxDepth}`
  const own = ownFault(expr, names, known)
  if (own !== null) return own
  const kind = expr.exprKind
  const inner =
    kind.case === 'comprehensionExpr'
      ? new Set([...names, kind.value.accuVar, kind.value.iterVar, kind.value.iterVar2])
      : names
  for (const child of childrenOf(expr)) {
    const fault = walk(child, inner, depth + 1, known)
    if (fault !== null) return fault
  }
  return null
}

function ownFault(expr: Expr, names: ReadonlySet<string>, known: Known): string | null {
  const kind = expr.exprKind
  switch (kind.case) {
    case 'identExpr':
      return names.has(kind.value.name)
        ? null
        : `unknown variable "${kind.value.name}"; known are ${VARIABLES.join(', ')}`
    case 'callExpr': {
      const name = kind.value.function
      return known.isFunction(name) || OPERATORS.includes(name) ? null : `unknown function "${name}"`
    }
    case 'structExpr':
      return kind.value.messageName === '' ? null : `unknown type "${kind.value.messageName}"`
    default:
      return null
  }
}

function childrenOf(expr: Expr): readonly Expr[] {
  const kind = expr.exprKind
  switch (kind.case) {
    case 'callExpr':
      return present([kind.value.target, ...kind.value.args])
    case 'selectExpr':
      return present([kind.value.operand])
    case 'listExpr':
      return kind.value.elements
    case 'structExpr':
      return present(
        kind.value.entries.flatMap((entry) => [
          entry.keyKind.case === 'mapKey' ? entry.keyKind.value : undefined,
          entry.value,
        ]),
      )
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value
      return present([iterRange, accuInit, loopCondition, loopStep, result])
    }
    default:
      return []
  }
}

function present(found: readonly (Expr | undefined)[]): readonly Expr[] {
  return found.filter((expr) => expr !== undefined)
}

function neverBool(expr: Expr): boolean {
  const kind = expr.exprKind
  switch (kind.case) {
    case 'constExpr':
      return kind.value.constantKind.case !== 'boolValue'
    case 'identExpr':
    case 'listExpr':
    case 'structExpr':
      return true
    case 'callExpr': {
      if (kind.value.function !== '_?_:_') return NEVER_BOOL.includes(kind.value.function)
      return kind.value.args.slice(1).some(neverBool)
    }
    case 'comprehensionExpr': {
      const start = kind.value.accuInit?.exprKind
      return start?.case === 'listExpr' || start?.case === 'structExpr'
    }
    default:
      return false
  }
}
