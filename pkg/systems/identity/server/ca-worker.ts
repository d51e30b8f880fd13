import { serve } from '#pkg/platform/worker'
import { workOf } from './ca-work.ts'
import type { CaJob, CaResult } from './contract.ts'

/** The entry script of the CA's thread. */
serve<CaJob, CaResult>({ handle: workOf })
