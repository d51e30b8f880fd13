/** The contract of test/stores/contract.ts on the twins in this process: [STORE-01] [STORE-02] [STORE-03] [STORE-04]. */
import { type Row, storeContract, type World } from '../../../test/stores/contract.ts'
import { newMemoryCounters, newMemoryRows } from './index.ts'

storeContract('in this process', async (): Promise<World> => {
  const rows = newMemoryRows<Row>()
  const counters = newMemoryCounters()
  return {
    rows: async () => rows,
    counter: async () => counters.connect(),
    lose: async () => counters.lose(),
    mark: async () => counters.mark(),
    fallBack: async () => counters.fallBack(),
    interrupt: async () => {
      counters.lost()
      await new Promise((resolve) => setTimeout(resolve, 20))
      counters.found()
    },
    close: async () => {},
  }
})
