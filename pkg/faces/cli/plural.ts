/** A number with its noun, for a person: `1 policy`, `2 policies`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`
}
