import type { AgentPolicy } from '#pkg/model/api'

type Selector = AgentPolicy['spec']['selector']
type Expression = NonNullable<Selector['matchExpressions']>[number]

/** Does a label selector match? Kubernetes' rules: all of it must hold; empty matches all. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labelOf(labels, key) === value)
  return exact && (selector.matchExpressions ?? []).every((expression) => holds(expression, labels))
}

function holds({ key, operator, values }: Expression, labels: Readonly<Record<string, string>>): boolean {
  const value = labelOf(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value)
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/** A label may be called "constructor". */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
