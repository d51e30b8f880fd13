import { newNames, type RandomBytes } from '#pkg/platform/random'

const CHARACTERS = 40

/** What every local token begins with. */
export const TOKEN_PREFIX = 'sp_vk_'

/** The whole shape of a local token. */
export const TOKEN_SHAPE = /^sp_vk_[A-Za-z0-9]{32,128}$/

/** Makes `sp_vk_` + 40 characters of `[A-Za-z0-9]`: 238 bits. */
export function newTokenMaker(random: RandomBytes): () => string {
  return newNames(random, { prefix: TOKEN_PREFIX, length: CHARACTERS })
}
