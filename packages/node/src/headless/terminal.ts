import type { Interface } from 'node:readline/promises'

/** Prints on standard error: standard output belongs to the program. */
export const print = (text: string): void => void process.stderr.write(text)

/**
 * Asks a line of the person at the terminal.
 *
 * @returns undefined when there is nobody to ask any more: the input has ended, or `signal` has aborted
 */
export async function askLine(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (signal.aborted) return undefined
  const { createInterface } = await import('node:readline/promises')
  const terminal: Interface = createInterface({ input: process.stdin, output: process.stderr })
  const over = new AbortController()
  // An open question would take Ctrl-C for itself.
  terminal.once('SIGINT', () => {
    terminal.close()
    process.kill(process.pid, 'SIGINT')
  })
  const ended = new Promise<undefined>((resolve) => {
    terminal.once('close', () => resolve(undefined))
    signal.addEventListener('abort', () => resolve(undefined), { signal: over.signal })
  })
  try {
    const line = terminal.question(question, { signal: over.signal }).catch(() => undefined)
    return await Promise.race([line, ended])
  } finally {
    over.abort()
    // Otherwise the open input would keep the process alive.
    terminal.close()
  }
}

/** The QR code of a text, for a terminal; undefined where nobody looks at one. */
export async function qrCode(text: string): Promise<string | undefined> {
  if (process.stderr.isTTY !== true) return undefined
  const { renderUnicodeCompact } = await import('uqr')
  return renderUnicodeCompact(text, { border: 2 })
}
