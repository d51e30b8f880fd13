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
    const exact = [...declared, ...granted.filter((name) => isGlob(name) && !name.endsWith('*'))].map(lower)
    const stems = granted
      .filter((name) => name.endsWith('*') && name.length > 1)
      .map((name) => lower(name.slice(0, -1)))
    return { exact: new Set(exact), stems, odd: exact.filter((name) => !/^[A-Za-z0-9_.:/-]+$/.test(name)) }
  }
  return {
    standsIn(given, whole) {
      names ??= load()
      const { exact, stems, odd } = names
      const text = decoded(given)
      if (odd.some((name) => lower(text).includes(name))) return true
      const known = (word: string): boolean => exact.has(word) || stems.some((stem) => word.startsWith(stem))
      for (const { 0: word, index } of text.matchAll(WORDS)) {
        if (!whole && index + word.length === text.length) return false
        const folded = lower(word)
        if (known(folded) || folded.split(/[.:/]/).some(known)) return true
      }
      return false
    },
  }
}

const lower = (name: string): string => name.toLowerCase()

/** Character references of XML, which some clients resolve in names. */
function decoded(text: string): string {
  if (!text.includes('&#')) return text
  return text.replace(/&#(x?)([0-9a-fA-F]{1,6});?/g, (whole, hex: string, digits: string) => {
    const code = Number.parseInt(digits, hex === '' ? 10 : 16)
    return Number.isNaN(code) || code > 0x10ffff ? whole : String.fromCodePoint(code)
  })
}
