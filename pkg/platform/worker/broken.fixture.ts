import { serve } from './serve.ts'

serve({
  warm: () => {
    throw new Error('what this entry needs is not there')
  },
  handle: (job) => job,
})
