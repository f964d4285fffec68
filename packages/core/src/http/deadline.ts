import type { Clock } from '../ports/clock.js'

/** What ends a piece of work before it is done. */
export interface Limits {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly onTimeout: () => Error
  readonly onAbort: () => Error
}

/** How much of the time that a stopped process has missed it gets back. */
const MISSED_MS = 4_000

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
    const dueAt = clock.monotonic() + timeoutMs
    // A process that was stopped finds its timer due and the answer already in the socket: the answer goes first, and gets
    // some of the time that was missed, because it may have to be stored before anybody has it.
    const late = (): Promise<void> => clock.sleep(Math.min(clock.monotonic() - dueAt, MISSED_MS), over.signal)
    const due = clock.sleep(timeoutMs, over.signal).then(late)
    void due.then(() => over.signal.aborted || end(onTimeout()))
  })
  try {
    return await Promise.race([work(stop.signal), ended])
  } finally {
    over.abort()
  }
}
