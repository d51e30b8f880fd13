/** True for an exact name or a name with one `*` at its end and nowhere else. POLICY.md "tools". */
export function isGlob(text: string): boolean {
  const star = text.indexOf('*')
  return text.length > 0 && (star === -1 || star === text.length - 1)
}

/** Does `name` match an exact name or a trailing-`*` glob? Case and Unicode form count. */
export function globMatches(glob: string, name: string): boolean {
  return glob.endsWith('*') ? name.startsWith(glob.slice(0, -1)) : name === glob
}
