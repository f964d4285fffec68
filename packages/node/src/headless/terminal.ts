import type { Interface } from 'node:readline/promises'

/** Prints on standard error: standard output belongs to the program. */
export const print = (text: string): void => void process.stderr.write(text)

/** A line that follows another within this time, in milliseconds, was pasted with it. */
const PASTED_MS = 50

/**
 * Asks a line of the person at the terminal, or several that are pasted at once: chat windows break long ones.
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
  let timer: NodeJS.Timeout | undefined
  const answer = new Promise<string | undefined>((resolve) => {
    const lines: string[] = []
    terminal.on('line', (line) => {
      lines.push(line)
      clearTimeout(timer)
      // What was pasted after the last break is on its line already, and waits for its own.
      timer = setTimeout(() => terminal.line || resolve(lines.join('\n')), PASTED_MS)
    })
    terminal.once('close', () => resolve(lines.length > 0 ? lines.join('\n') : undefined))
    signal.addEventListener('abort', () => resolve(undefined), { signal: over.signal })
  })
  terminal.setPrompt(question)
  terminal.prompt()
  try {
    return await answer
  } finally {
    over.abort()
    clearTimeout(timer)
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
