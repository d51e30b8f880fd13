/** Bytes held back in this process, all streams together. WIRE.md §4. */
export type HeldBudget = {
  /** Takes bytes; false when that would exceed the cap, and then nothing is taken. */
  take(bytes: number): boolean
  give(bytes: number): void
  readonly heldBytes: number
}

/** Makes the budget. Default of the cap: 16 MiB (`Limits.heldBytesPerProcess`). */
export function newHeldBudget(maxBytes: number): HeldBudget {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > maxBytes) return false
      held += bytes
      return true
    },
    give(bytes) {
      held -= bytes
    },
    get heldBytes() {
      return held
    },
  }
}
