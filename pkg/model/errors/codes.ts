/** What went wrong where no policy had a say, with what each edge makes of it. DESIGN §6, CLI.md. */
export const ERROR_CODES = {
  UPSTREAM_FAILED: { http: 502, exit: 69 },
  UPSTREAM_TIMEOUT: { http: 504, exit: 69 },
  OVERLOADED: { http: 503, exit: 69 },
  STATE_UNAVAILABLE: { http: 503, exit: 69 },
  ADMIN_UNAUTHORIZED: { http: 401, exit: 77 },
  ADMIN_FORBIDDEN: { http: 403, exit: 77 },
  ADMIN_TOO_OFTEN: { http: 429, exit: 69 },
  ADMIN_NOT_FOUND: { http: 404, exit: 1 },
  ADMIN_METHOD: { http: 405, exit: 64 },
  IDENTITY_DENIED: { http: 403, exit: 77 },
  MOVE_REFUSED: { http: 409, exit: 1 },
  MOVE_OVERRIDDEN: { http: 409, exit: 1 },
  MOVE_UNCONFIRMED: { http: 409, exit: 65 },
  USAGE: { http: 400, exit: 64 },
  SETTINGS_INVALID: { http: 400, exit: 64 },
  CSR_REFUSED: { http: 400, exit: 65 },
  RESOURCE_INVALID: { http: 400, exit: 65 },
  UNREACHABLE: { http: 503, exit: 69 },
  INTERNAL: { http: 500, exit: 1 },
} as const satisfies Readonly<Record<string, { readonly http: number; readonly exit: number }>>

/** A stable error code: a key of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** HTTP status of an error code. */
export function httpStatusOf(code: ErrorCode): number {
  return ERROR_CODES[code].http
}

/** Exit status of an error code. CLI.md "exit". */
export function exitStatusOf(code: ErrorCode): number {
  return ERROR_CODES[code].exit
}
