import { newNames, type RandomBytes } from '#pkg/platform/random'

/** Makes `v_` + 14 characters of `[A-Za-z0-9]`: 83 bits, so that knowing one id tells nothing about another. */
export function newVerdictIds(random: RandomBytes): () => string {
  return newNames(random, { prefix: 'v_', length: 14 })
}
