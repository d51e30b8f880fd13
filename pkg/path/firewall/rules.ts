import {
  globMatches,
  grantSpeaksOf,
  type Intent,
  isGlob,
  type Snapshot,
  type ToolDeny,
  type ToolGrant,
} from '#pkg/model'
import { compileRule, compileSchema, type Rule, type SchemaValidator } from '#pkg/platform/expr'

/** One entry of `tools.allow`, ready to judge. */
export type CompiledGrant = {
  readonly grant: ToolGrant
  readonly schema: SchemaValidator | null
  readonly rules: readonly { readonly name: string; readonly message: string; readonly program: Rule }[]
  /** What did not compile; such an entry grants nothing. */
  readonly fault: string | null
  /** True when the entry declares a `sql.*` intent and its calls have effects at all. */
  readonly declaresSql: boolean
}

/** The entries of one list, by name. */
export type GrantIndex = {
  readonly exact: ReadonlyMap<string, readonly CompiledGrant[]>
  readonly globs: readonly CompiledGrant[]
}

/** A snapshot made ready: everything in it that can be compiled is. Made by `load`, opaque to all others. */
export type Rules = { readonly snapshot: Snapshot; readonly grants: GrantIndex }

/** What was compiled for lists and entries that other snapshots share. */
export type RuleCache = {
  readonly entries: WeakMap<ToolGrant, CompiledGrant>
  readonly lists: WeakMap<readonly ToolGrant[], GrantIndex>
  readonly snapshots: WeakMap<Snapshot, Rules>
}

/** An empty cache; what nobody holds any more leaves it by itself. */
export function newRuleCache(): RuleCache {
  return { entries: new WeakMap(), lists: new WeakMap(), snapshots: new WeakMap() }
}

/** Compiles a snapshot; by identity of its parts nothing is compiled twice, and by content no schema or rule is. */
export function loadRules(snapshot: Snapshot, cache: RuleCache): Rules {
  const found = cache.snapshots.get(snapshot)
  if (found !== undefined) return found
  let grants = cache.lists.get(snapshot.grants)
  if (grants === undefined) {
    grants = indexOf(snapshot.grants, cache)
    cache.lists.set(snapshot.grants, grants)
  }
  const rules: Rules = { snapshot, grants }
  cache.snapshots.set(snapshot, rules)
  return rules
}

/**
 * The entries that a call of this name may rest on, exact names first. `server` is the one that carries it out, empty
 * for a call that a model proposes. What is denied at the server of an entry, that entry does not grant.
 */
export function grantsFor(rules: Rules, name: string, server: string): readonly CompiledGrant[] {
  const all = entriesFor(rules, name, server)
  if (server !== '' || all.every(({ grant }) => grant.server === '')) return all
  return all.filter(({ grant }) => denyOf(rules, name, grant.server) === undefined)
}

/**
 * The entry of the deny list that a call of this name meets. A proposal meets what speaks of every server, and, if no
 * entry that could grant it is left, what denies it at the server of one.
 */
export function denyFor(rules: Rules, name: string, server: string): ToolDeny | undefined {
  const denied = denyOf(rules, name, server)
  if (denied !== undefined || server !== '' || grantsFor(rules, name, '').length > 0) return denied
  return entriesFor(rules, name, '')
    .map(({ grant }) => denyOf(rules, name, grant.server))
    .find((deny) => deny !== undefined)
}

function entriesFor(rules: Rules, name: string, server: string): readonly CompiledGrant[] {
  const exact = rules.grants.exact.get(name) ?? []
  const globs = rules.grants.globs.filter((entry) => globMatches(entry.grant.name, name))
  const all = globs.length === 0 ? exact : [...exact, ...globs]
  const speaks = ({ grant }: CompiledGrant): boolean => grantSpeaksOf(grant, server)
  return all.every(speaks) ? all : all.filter(speaks)
}

function denyOf(rules: Rules, name: string, server: string): ToolDeny | undefined {
  const speaks = (deny: ToolDeny): boolean => deny.server === '' || deny.server === server
  return rules.snapshot.denies.find((deny) => speaks(deny) && globMatches(deny.name, name))
}

function indexOf(grants: readonly ToolGrant[], cache: RuleCache): GrantIndex {
  const exact = new Map<string, CompiledGrant[]>()
  const globs: CompiledGrant[] = []
  for (const grant of grants) {
    const compiled = cache.entries.get(grant) ?? compileGrant(grant)
    cache.entries.set(grant, compiled)
    if (isExact(grant.name)) exact.set(grant.name, [...(exact.get(grant.name) ?? []), compiled])
    else globs.push(compiled)
  }
  return { exact, globs }
}

/** True for a name without a star. */
export function isExact(name: string): boolean {
  return isGlob(name) && !name.endsWith('*')
}

function compileGrant(grant: ToolGrant): CompiledGrant {
  let fault: string | null = null
  const schema = grant.schema === null || grant.schema === undefined ? null : compileSchema(grant.schema)
  if (schema?.ok === false) fault = `a schema that does not compile: ${schema.message}`
  const rules: CompiledGrant['rules'][number][] = []
  for (const { name, message, expression } of grant.rules) {
    const compiled = compileRule(expression)
    if (compiled.ok) rules.push({ name, message, program: compiled.program })
    else fault ??= `the rule "${name}", which does not compile: ${compiled.message}`
  }
  return {
    grant,
    schema: schema?.ok === true ? schema.validator : null,
    rules,
    fault,
    declaresSql: grant.execution !== 'output' && (grant.intents ?? []).some(isSql),
  }
}

const isSql = (intent: Intent): boolean => intent.startsWith('sql.')
