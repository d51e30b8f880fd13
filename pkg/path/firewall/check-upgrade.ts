import { type Finding, findingOf, globMatches, type ProviderGrant, type RequestView } from '#pkg/model'
import { absenceOf } from './check-name.ts'
import type { Rules } from './rules.ts'

/** Check 3 on an upgrade at a facade: an entry of its provider must open this very method and path, for the model that its query names. */
export function upgradeFindings(
  providers: readonly ProviderGrant[],
  rules: Rules,
  { endpoint: { method, path }, model }: RequestView,
): readonly Finding[] {
  const able = providers.filter(({ opaque }) => opaque.some((each) => each.method === method && each.path === path))
  const [first] = able
  if (first === undefined) {
    const source = providers[0]?.source
    const rule =
      source === undefined
        ? absenceOf(rules, 'llm.providers')
        : { policy: source.policy, path: `${source.path}.opaque` }
    return [findingOf('UPGRADE_NOT_GRANTED', 0, 'asks for an upgrade that no entry of its provider opens', rule)]
  }
  if (model === null || able.some(({ models }) => models.some((glob) => globMatches(glob, model)))) return []
  const rule = { policy: first.source.policy, path: `${first.source.path}.models` }
  return [findingOf('MODEL_NOT_GRANTED', 0, 'asks for a model that is not granted', rule)]
}
