import type { SqlIntent } from '../ports.ts'
import { isBare } from './bare.ts'
import {
  anything,
  type Effect,
  EVERY_INTENT,
  effect,
  isTree,
  listOf,
  stringConstant,
  stringNode,
  type Tree,
  textOf,
  treeOf,
} from './effect.ts'
import { functionEffect, textArguments } from './functions.ts'
import type { SqlGrammar } from './grammar.ts'
import { partsOfProgram, wordsOf } from './program.ts'
import { explainRuns, foreignProgram, programOf, SPECIAL } from './special-statements.ts'
import { PARTS, STATEMENTS } from './statements.ts'

/** What the statements of one text do together. */
export type Classification = {
  /** In the order of the intents of `#pkg/model`. */
  readonly intents: readonly SqlIntent[]
  readonly statements: number
  /** True where each statement may as well be words of English, or only computes. POLICY.md "SQL". */
  readonly bareExpression: boolean
  /** Kinds of statements and functions of our table. No name and no value of the text. */
  readonly detail: string
}

/** Texts in texts that are looked into; deeper ones count as anything. */
const MAX_DEPTH = 4

/**
 * Says what `text` does, from its parse tree; the whole tree is looked at, and texts that it runs are parsed in turn.
 * Functions that are in no table count as reads: what a user's own function does cannot be seen in its call.
 */
export function classify(text: string, tree: unknown, grammar: SqlGrammar): Classification {
  const statements = listOf(treeOf(tree)['stmts'])
  const classifier = new Classifier(grammar)
  classifier.text(text, tree, 0)
  return {
    intents: EVERY_INTENT.filter((intent) => classifier.intents.has(intent)),
    statements: statements.length,
    bareExpression: statements.length > 0 && statements.every((statement) => isBare(treeOf(treeOf(statement)['stmt']))),
    detail: classifier.detail(statements.length),
  }
}

type Item = {
  readonly field: string
  readonly value: unknown
  /** Only planned or defined here, not run: statements do nothing, functions still count. */
  readonly planned: boolean
}

const FILE_VIEWS = new Set(['pg_hba_file_rules', 'pg_ident_file_mappings', 'pg_file_settings'])
const WRITING = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'CopyStmt'])
const READING_FIELDS = new Set(['fromClause', 'usingClause', 'sourceRelation', 'returningClause'])

class Classifier {
  readonly intents = new Set<SqlIntent>()
  readonly #grammar: SqlGrammar
  readonly #prepared = new Set<string>()
  /** What is done beyond reading, each once, with the first statement that does it. */
  readonly #notes = new Map<string, number>()
  #statement = 0
  #depth = 0

  constructor(grammar: SqlGrammar) {
    this.#grammar = grammar
  }

  detail(statements: number): string {
    const count = `${statements} statement${statements === 1 ? '' : 's'}`
    const notes = [...this.#notes]
      .slice(0, 4)
      .map(([says, at]) => (statements === 1 ? says : `${says} (statement ${at})`))
    return notes.length === 0 ? `only reads; ${count}` : `${notes.join(', ')}; ${count}`
  }

  /** All statements of a text; `depth` counts the texts around it. */
  text(text: string, tree: unknown, depth: number): void {
    if (depth > MAX_DEPTH) {
      this.#note(anything('text that runs text, nested too deeply'))
      return
    }
    this.#depth = depth
    const bytes = Buffer.from(text)
    for (const [at, raw] of listOf(treeOf(tree)['stmts']).entries()) {
      if (depth === 0) this.#statement = at + 1
      const { stmt, stmt_location: from, stmt_len: length } = treeOf(raw)
      const start = typeof from === 'number' ? from : 0
      const source = bytes.subarray(start, typeof length === 'number' && length > 0 ? start + length : undefined)
      this.#walk(stmt, source)
      const prepare = treeOf(treeOf(stmt)['PrepareStmt'])
      if (typeof prepare['name'] === 'string') this.#prepared.add(prepare['name'])
    }
    this.#depth = depth - 1
  }

  #walk(root: unknown, source: Buffer): void {
    const stack: Item[] = [{ field: '', value: root, planned: false }]
    for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
      const { field, value, planned } = item
      if (Array.isArray(value)) for (const part of value) stack.push({ field, value: part, planned })
      if (!isTree(value)) continue
      if (Array.isArray(value['funcname']) && field !== 'CreateFunctionStmt') this.#call(value)
      for (const name in value) {
        const child = value[name]
        if (typeof child !== 'object' || child === null) {
          if (name === 'relname' && !planned) this.#relation(textOf(child))
          continue
        }
        const inner = isNodeName(name) ? this.#node(name, treeOf(child), item, source) : planned
        if (!planned) this.#field(name)
        stack.push({ field: name, value: child, planned: inner })
      }
    }
  }

  /** A node of the tree; answers whether what is in it is only planned. */
  #node(kind: string, node: Tree, { field, planned }: Item, source: Buffer): boolean {
    const special = isSpecial(kind) ? SPECIAL[kind](node, this.#prepared) : null
    const known = special ?? STATEMENTS.get(kind)
    if (known === undefined && !PARTS.has(kind)) this.#note(anything('a statement that is not known'))
    // the rows of an INSERT are no query of their own; its FROM would be seen as such
    if (known !== undefined && !planned && !(kind === 'SelectStmt' && field === 'selectStmt')) this.#note(known)
    if (kind === 'LockingClause' && !planned) this.#note(effect('SELECT … FOR UPDATE or FOR SHARE', 'sql.write'))
    if (WRITING.has(kind) && !planned) this.#target(kind, node)
    if (kind === 'DoStmt') this.#program(programOf(node['args'], 'plpgsql'), source)
    if (kind === 'CreateFunctionStmt') this.#program(programOf(node['options'], 'sql'), source)
    if (kind === 'ExplainStmt') return planned || !explainRuns(node)
    return planned || kind === 'ViewStmt'
  }

  #field(name: string): void {
    if (READING_FIELDS.has(name)) this.#note(effect('', 'sql.read'))
    if (name === 'intoClause') this.#note(effect('SELECT INTO', 'sql.write', 'sql.ddl'))
  }

  #relation(name: string): void {
    if (FILE_VIEWS.has(name)) this.#note(effect('reads a view of server files', 'fs.read'))
  }

  /** A write to the catalogue is DDL by hand: rights and structure live there. */
  #target(kind: string, node: Tree): void {
    const { schemaname, relname } = treeOf(node['relation'])
    const catalogue = schemaname === 'pg_catalog' || schemaname === 'information_schema' || /^pg_/.test(textOf(relname))
    if (catalogue && (kind !== 'CopyStmt' || node['is_from'] === true))
      this.#note(effect('a write to the system catalogue', 'sql.ddl'))
  }

  #call(node: Tree): void {
    const names = listOf(node['funcname']).map((part) => (stringNode(part) ?? '').toLowerCase())
    const name = names.at(-1) ?? ''
    const does = name === 'set_config' ? null : functionEffect(names.at(-2) ?? '', name)
    if (does !== null) this.#note(does)
    if (name === 'set_config') this.#note(SPECIAL.VariableSetStmt(asSetting(listOf(node['args'])), this.#prepared))
    const positions = textArguments(name)
    if (positions === null) return
    const given = listOf(node['args'])
    // with three arguments ts_rewrite takes no text
    if (name === 'ts_rewrite' && given.length === 3) return
    for (const at of positions) if (at < given.length) this.#run(stringConstant(given[at]), `calls ${name}()`)
  }

  /** A text that is run as SQL. */
  #run(text: string | null, says: string): void {
    const parsed = text === null || text === '' ? null : this.#grammar.parse(text)
    if (text === null || parsed === null || !parsed.ok) this.#note(anything(`${says} with a text that cannot be read`))
    else this.text(text, parsed.tree, this.#depth + 1)
  }

  #program(program: { readonly language: string; readonly text: string | null }, source: Buffer): void {
    const { language, text } = program
    if (text === null) return // its body stands in the tree
    if (language === 'sql') this.#run(text, 'CREATE FUNCTION')
    else if (language === 'plpgsql') this.#plpgsql(text, source)
    else this.#note(foreignProgram(language))
  }

  #plpgsql(text: string, source: Buffer): void {
    const tree = this.#grammar.parseProgram(source.toString())
    if (tree === null) this.#note(anything('a PL/pgSQL body that cannot be read'))
    for (const part of partsOfProgram(tree, this.#grammar)) {
      if (part.kind === 'unreadable') this.#note(anything('EXECUTE of a text that cannot be read'))
      else if (part.kind === 'text') this.#run(part.text, 'EXECUTE')
      else this.text(part.sql, part.tree, this.#depth + 1)
    }
    for (const word of wordsOf(text)) {
      const does = functionEffect('', word)
      if (does !== null) this.#note(does)
    }
  }

  #note(does: Effect): void {
    for (const intent of does.intents) this.intents.add(intent)
    const reads = does.intents.every((intent) => intent === 'sql.read')
    if (!reads && !this.#notes.has(does.says)) this.#notes.set(does.says, this.#statement)
  }
}

/** set_config(name, value, local) as the SET that it is; a name that is not a constant is in no list. */
function asSetting(args: readonly unknown[]): Tree {
  return { kind: 'VAR_SET_VALUE', name: stringConstant(args[0]) ?? '', args: args.slice(1, 2) }
}

/** In the JSON of a tree, nodes begin with a capital and fields do not. */
function isNodeName(name: string): boolean {
  return name >= 'A' && name < '['
}

function isSpecial(kind: string): kind is keyof typeof SPECIAL {
  return Object.hasOwn(SPECIAL, kind)
}
