/** As `crypto.randomBytes`. */
export type RandomBytes = (size: number) => Uint8Array
