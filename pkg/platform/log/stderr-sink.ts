/**
 * Writes lines to stderr. Node writes to files and terminals at once, to pipes as far as they take it and the rest
 * later: what waits is bounded here, since a parent that never reads our stderr must not stop or fill the process.
 */
export function stderrSink(maxBacklogBytes: number): (line: string) => void {
  const stream = process.stderr
  let dropped = 0
  stream.on('error', () => {}) // a reader that went away is no reason to die
  return (line) => {
    if (stream.writableLength + line.length > maxBacklogBytes) {
      dropped += 1
      return
    }
    if (dropped > 0) {
      stream.write(`{"level":"warn","event":"log-lines-dropped","count":${dropped}}\n`)
      dropped = 0
    }
    stream.write(line)
  }
}
