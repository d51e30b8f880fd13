/** The known name that the typed one is most likely meant to be: at most a third of its letters differ. */
export function nearest(typed: string, known: readonly string[]): string | null {
  const wanted = typed.toLowerCase().slice(0, MAX_LENGTH)
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const name of known) {
    const distance = editDistance(wanted, name.toLowerCase().slice(0, MAX_LENGTH))
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Names that are longer are compared by their beginnings, which keeps this quadratic step small. */
const MAX_LENGTH = 64

/** Letters that are put in, taken out, replaced, or changed about with the next one. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, at) => at)
  let beforePrevious: readonly number[] = []
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const swap = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      const isCrossed = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      const crossed = row > 1 && column > 1 && isCrossed ? (beforePrevious[column - 2] ?? 0) + 1 : swap
      current.push(Math.min(swap, crossed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.length] ?? 0
}
