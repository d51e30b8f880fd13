/** Pieces about as long as a model's tokens: words with their leading space, digits by three, punctuation, white space. */
const PIECE = / ?[\p{L}\p{M}]{1,7}| ?\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]{1,3}|\s+/gu

/** Cuts a text into token-like pieces. Joined they are the text again; no surrogate pair is cut. */
export function tokensOf(text: string): readonly string[] {
  return text.match(PIECE) ?? []
}
