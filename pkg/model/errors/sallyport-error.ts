import type { ErrorCode } from './codes.ts'

/** A broken promise, with a stable code. `message` says what, which, the limit and what to do; never payload or a secret. */
export class SallyportError extends Error {
  override readonly name = 'SallyportError'
  readonly code: ErrorCode
  readonly fields: Readonly<Record<string, string | number | boolean | null>>

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly fields?: Readonly<Record<string, string | number | boolean | null>>
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fields = options.fields ?? {}
  }
}

/** True for a {@link SallyportError} of that code. */
export function isErrorCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof SallyportError && error.code === code
}
