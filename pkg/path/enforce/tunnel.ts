import type { ByteLeg } from '#pkg/model'

/** Both sides of an opaque connection. */
export type Sides = { readonly client: ByteLeg; readonly host: ByteLeg }

/** What a relay tells and asks. */
export type TunnelWatch = {
  /** May these bytes pass? Asked for each chunk of either direction; false = both sides are reset. */
  passes(direction: 'out' | 'back', bytes: number): boolean
}

/**
 * Relays bytes both ways until both sides have said all, or one breaks off, which resets the other. A side that does not
 * read stops the other; one that has said all may still listen. Never rejects.
 */
export async function relayBytes({ client, host }: Sides, watch: TunnelWatch): Promise<'ended' | 'broken'> {
  let broken = false
  const breakOff = (): void => {
    broken = true
    client.reset()
    host.reset()
  }
  const pump = async (from: ByteLeg, to: ByteLeg, direction: 'out' | 'back'): Promise<void> => {
    let isOver = false
    // nobody is left who could be told what still comes
    void to.closed.then(() => isOver || breakOff())
    try {
      for await (const bytes of from.chunks) {
        if (broken) return
        if (!watch.passes(direction, bytes.length)) return breakOff()
        const full = to.write(bytes)
        if (full !== undefined) await full
      }
      to.end()
    } catch {
      breakOff()
    } finally {
      isOver = true
    }
  }
  await Promise.all([pump(client, host, 'out'), pump(host, client, 'back')])
  return broken ? 'broken' : 'ended'
}
