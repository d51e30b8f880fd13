/** One parser under fuzz. A file of `test/fuzz` exports it as `target`. */
export type Target = {
  /** Name of its corpus folder, `test/fuzz/corpus/NAME`. */
  readonly name: string
  /**
   * Feeds one input. A throw is a failure. May return what it saw (reason codes, kinds): an input with an answer that
   * no input before had is kept and mutated further.
   */
  run(bytes: Uint8Array): string | undefined | Promise<string | undefined>
  /** Words of the format, put in now and then. */
  readonly words?: readonly string[]
}
