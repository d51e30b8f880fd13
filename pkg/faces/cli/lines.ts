/**
 * Lines of a text that comes in pieces, without their line feeds. What stands behind the last line feed comes last, as
 * not `whole`, if there is any. `tooLong` makes the error for a line beyond `maxChars`.
 */
export async function* linesOf(
  pieces: AsyncIterable<unknown>,
  maxChars: number,
  tooLong: () => Error,
): AsyncGenerator<{ readonly text: string; readonly whole: boolean }> {
  let rest = ''
  for await (const piece of pieces) {
    const parts = (rest + String(piece)).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxChars) throw tooLong()
    for (const text of parts) yield { text, whole: true }
  }
  if (rest !== '') yield { text: rest, whole: false }
}
