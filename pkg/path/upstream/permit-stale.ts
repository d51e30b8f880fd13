import type { Permit, Reason } from '#pkg/model'
import { SallyportError } from '#pkg/model/errors'

/**
 * The permit died between the verdict and the write: the agent was revoked, or its policy changed. Nothing was sent.
 * The caller answers with a refusal for `reason`; who does not know it sees an INTERNAL error, which lets nothing through.
 */
export class PermitStaleError extends SallyportError {
  readonly reason: Reason = 'IDENTITY_EPOCH_STALE'

  constructor(permit: Permit) {
    super('INTERNAL', `the permit of epoch ${permit.epoch}, generation ${permit.generation} is no longer live`, {
      fields: { agent: permit.agent, epoch: permit.epoch, generation: permit.generation },
    })
  }
}

/** True for a {@link PermitStaleError}. */
export function isPermitStale(error: unknown): error is PermitStaleError {
  return error instanceof PermitStaleError
}
