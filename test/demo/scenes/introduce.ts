import { milliseconds as ms, tell } from '../say.ts'
import type { Stage } from '../stage.ts'

/** First lines: who plays. */
export function introduce(stage: Stage): void {
  tell(
    `The official openai client talks to ./sallyctl up (pid ${stage.sallyport.pid}, ready in ` +
      `${ms(stage.sallyport.startMs)}); behind it a simulated provider writes prepared answers token by token. The ` +
      'tools are real: run_sql works on a Postgres with two tables.',
  )
}
