import { status } from '@grpc/grpc-js'
import type { ErrorCode } from '#pkg/model/errors'

/** The gRPC status of each error code. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  UPSTREAM_FAILED: status.UNAVAILABLE,
  UPSTREAM_TIMEOUT: status.DEADLINE_EXCEEDED,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  STATE_UNAVAILABLE: status.UNAVAILABLE,
  ADMIN_UNAUTHORIZED: status.UNAUTHENTICATED,
  ADMIN_FORBIDDEN: status.PERMISSION_DENIED,
  ADMIN_TOO_OFTEN: status.RESOURCE_EXHAUSTED,
  ADMIN_NOT_FOUND: status.NOT_FOUND,
  ADMIN_METHOD: status.UNIMPLEMENTED,
  IDENTITY_DENIED: status.PERMISSION_DENIED,
  MOVE_REFUSED: status.FAILED_PRECONDITION,
  MOVE_OVERRIDDEN: status.FAILED_PRECONDITION,
  MOVE_UNCONFIRMED: status.FAILED_PRECONDITION,
  USAGE: status.INVALID_ARGUMENT,
  SETTINGS_INVALID: status.INVALID_ARGUMENT,
  CSR_REFUSED: status.INVALID_ARGUMENT,
  RESOURCE_INVALID: status.INVALID_ARGUMENT,
  UNREACHABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
}

/** The gRPC status of an error code, as a number. */
export function grpcStatusOf(code: ErrorCode): number {
  return STATUS[code]
}
