/** One of the three views. */
export type View =
  | { readonly name: 'overview' }
  | { readonly name: 'verdicts' }
  | { readonly name: 'agent'; readonly namespace: string; readonly agent: string }

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** The view of a hash; the overview for any that is none. */
export function viewOf(hash: string): View {
  const [first, second = '', third = '', ...rest] = hash.replace(/^#\/?/, '').split('/')
  if (first === 'verdicts' && second === '') return { name: 'verdicts' }
  if (first === 'agents' && rest.length === 0 && LABEL.test(second) && LABEL.test(third))
    return { name: 'agent', namespace: second, agent: third }
  return { name: 'overview' }
}

/** The address of an agent's view, made of DNS labels only; null for a name that is none: then there is no link. */
export function agentHref(key: string): string | null {
  const [namespace = '', name = '', ...rest] = key.split('/')
  return rest.length === 0 && LABEL.test(namespace) && LABEL.test(name) ? `#/agents/${namespace}/${name}` : null
}
