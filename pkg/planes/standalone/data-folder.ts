import { accessSync, constants, readdirSync } from 'node:fs'
import { SallyportError } from '#pkg/model/errors'
import { makeFolder, whyNot } from '#pkg/platform/files'

/**
 * Makes the data folder (0700) where it is not there, and sees that this user may use it.
 * @throws SallyportError STATE_UNAVAILABLE: it cannot be made, is no folder, or is not this user's to write.
 */
export function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir)
    readdirSync(dataDir)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new SallyportError(
      'STATE_UNAVAILABLE',
      `the data folder ${dataDir} cannot be used: ${whyNot(cause, dataDir)}; or choose another with --data`,
      { fields: { dataDir }, cause },
    )
  }
}
