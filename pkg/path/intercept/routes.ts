/** A base path and the facade that serves what is below it: `{ name: 'openai', base: '/openai/v1' }`. */
export type FacadeBase = { readonly name: string; readonly base: string }

/** A path split at its base; an empty facade = below no base, and the path is whole. */
export type Split = { readonly facade: string; readonly path: string }

/** Splits a normalised path at the longest base that holds it. A base holds itself (path `/`) and what follows its `/`. */
export function newSplitter(bases: readonly FacadeBase[]): (path: string) => Split {
  const longestFirst = [...bases].sort((a, b) => b.base.length - a.base.length)
  return (path) => {
    for (const { name, base } of longestFirst) {
      if (path === base) return { facade: name, path: '/' }
      if (path.startsWith(base) && path.charCodeAt(base.length) === SLASH)
        return { facade: name, path: path.slice(base.length) }
    }
    return { facade: '', path }
  }
}

const SLASH = 0x2f
