import { isGlob, type ToolGrant } from '#pkg/model'

/** The tool names that may stand in a text. */
export type ToolNames = {
  /** Does one of them stand in the text as a word? `whole`: the last word of the text is not going to grow. */
  standsIn(text: string, whole: boolean): boolean
}

const WORDS = /[A-Za-z0-9_.:/-]+/g

/** The names that a request declares or a policy grants; of a glob its stem. Case does not count. */
export function newToolNames(declared: readonly string[], grants: readonly ToolGrant[]): ToolNames {
  let names: {
    readonly exact: ReadonlySet<string>
    readonly stems: readonly string[]
    readonly odd: readonly string[]
  } | null = null
  const load = (): NonNullable<typeof names> => {
    const granted = grants.map((grant) => grant.name)
    const exact = [...declared, ...granted.filter((name) => isGlob(name) && !name.endsWith('*'))]
      .filter((name) => name !== '')
      .map(lower)
    const stems = granted
      .filter((name) => name.endsWith('*') && name.length > 1)
      .map((name) => lower(name.slice(0, -1)))
    return { exact: new Set(exact), stems, odd: exact.filter((name) => !/^[A-Za-z0-9_.:/-]+$/.test(name)) }
  }
  return {
    standsIn(text, whole) {
      names ??= load()
      const { exact, stems, odd } = names
      const known = (word: string): boolean => exact.has(word) || stems.some((stem) => word.startsWith(stem))
      const read = (seen: string): boolean => {
        if (odd.some((name) => lower(seen).includes(name))) return true
        for (const { 0: word, index } of seen.matchAll(WORDS)) {
          if (!whole && index + word.length === seen.length) return false
          const folded = lower(word)
          if (known(folded) || folded.split(/[.:/]/).some(known)) return true
        }
        return false
      }
      // Both readings count, each as far as more text cannot change it.
      if (read(text)) return true
      return text.includes('&#') && read(decoded(whole ? text : text.replace(/&#?x?[0-9a-f]{0,6}$/i, '')))
    },
  }
}

const lower = (name: string): string => name.toLowerCase()

/** Character references of XML, which some clients resolve in names. */
function decoded(text: string): string {
  return text.replace(/&#(x?)([0-9a-fA-F]{1,6});?/g, (whole, hex: string, digits: string) => {
    const code = Number.parseInt(digits, hex === '' ? 10 : 16)
    return Number.isNaN(code) || code > 0x10ffff ? whole : String.fromCodePoint(code)
  })
}
