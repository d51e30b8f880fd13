import type { ProfileRules } from './profile.ts'

/** Longest number literal that is read. JavaScript never writes more than 25 characters. */
export const MAX_NUMBER_CHARS = 400

/** Where a literal begins; the other places are known to {@link nextInNumber} alone. */
export const NUMBER_START = 0
/** The literal was whole before this character. */
export const NUMBER_END = -1
/** No literal goes on like this. */
export const NUMBER_BAD = -2

const ZERO = 2
const INTEGER = 3
const FRACTION = 5
const EXPONENT = 8

/** One step of the grammar of RFC 8259 §6: the place after `c`, or {@link NUMBER_END}, or {@link NUMBER_BAD}. */
export function nextInNumber(place: number, c: number): number {
  const digit = c >= 0x30 && c <= 0x39
  const exponent = c === 0x65 || c === 0x45
  switch (place) {
    case NUMBER_START:
      return c === 0x2d ? 1 : c === 0x30 ? ZERO : digit ? INTEGER : NUMBER_BAD
    case 1: // behind the minus
      return c === 0x30 ? ZERO : digit ? INTEGER : NUMBER_BAD
    case ZERO:
      return c === 0x2e ? 4 : exponent ? 6 : digit ? NUMBER_BAD : NUMBER_END
    case INTEGER:
      return digit ? INTEGER : c === 0x2e ? 4 : exponent ? 6 : NUMBER_END
    case 4: // behind the point
      return digit ? FRACTION : NUMBER_BAD
    case FRACTION:
      return digit ? FRACTION : exponent ? 6 : NUMBER_END
    case 6: // behind the e
      return digit ? EXPONENT : c === 0x2b || c === 0x2d ? 7 : NUMBER_BAD
    case 7: // behind the sign of the exponent
      return digit ? EXPONENT : NUMBER_BAD
    default:
      return digit ? EXPONENT : NUMBER_END
  }
}

/** What two clients would make of this literal in two ways. `null` = they agree. `literal` obeys RFC 8259. */
export function numberFault(literal: string, rules: ProfileRules): string | null {
  const value = Number(literal)
  if (!Number.isFinite(value)) return 'has a number that is not finite'
  if (!rules.strictNumbers) return null
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return 'has a number beyond 2^53 - 1'
  if (Object.is(value, -0)) return 'has a negative zero'
  if (value === 0 && /^[0.]*[1-9]/.test(literal)) return 'has a number that rounds to zero'
  return null
}
