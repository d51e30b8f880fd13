/** How long the program that opens a browser may take until it is left to itself, ms. */
const TAKES_MS = 2_000

/**
 * Opens an address in the person's browser, by the program that each system has for it. Resolves with null, or with why it could
 * not be; a program that is still at work after 2 s counts as well.
 */
export async function openInBrowser(url: string, platform: NodeJS.Platform = process.platform): Promise<string | null> {
  const { spawn } = await import('node:child_process')
  const program = platform === 'darwin' ? 'open' : 'xdg-open'
  return new Promise((resolve) => {
    const child = spawn(program, [url], { stdio: 'ignore', detached: true })
    const settle = (fault: string | null): void => {
      clearTimeout(late)
      resolve(fault)
    }
    const late = setTimeout(() => settle(null), TAKES_MS)
    child.once('error', (error: NodeJS.ErrnoException) => settle(`${program}: ${error.code ?? error.message}`))
    child.once('exit', (status) => settle(status === 0 ? null : `${program} ended with ${status}`))
    child.unref()
  })
}
