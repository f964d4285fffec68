import type { Clock } from '../ports/clock.js'

/** What ends a piece of work before it is done. */
export interface Limits {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly onTimeout: () => Error
  readonly onAbort: () => Error
}

/**
 * Runs `work` under a deadline and the caller's signal; whichever ends it also aborts the signal that `work` was given.
 * Work that ignores its signal is left behind: the caller never waits longer than the deadline.
 */
export async function withDeadline<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, timeoutMs, signal, onTimeout, onAbort } = limits
  if (signal?.aborted) throw onAbort()
  const stop = new AbortController()
  const over = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    const end = (error: Error): void => {
      reject(error)
      stop.abort(error)
    }
    signal?.addEventListener('abort', () => end(onAbort()), { signal: over.signal })
    // A process that was stopped finds its timer due and the answer already in the socket: the answer goes first.
    const due = clock.sleep(timeoutMs, over.signal).then(() => clock.sleep(0, over.signal))
    void due.then(() => over.signal.aborted || end(onTimeout()))
  })
  try {
    return await Promise.race([work(stop.signal), ended])
  } finally {
    over.abort()
  }
}
