import type { AgentKey, Standing } from '#pkg/model'
import type { AgentCeiling, SeverCause } from './ports.ts'
