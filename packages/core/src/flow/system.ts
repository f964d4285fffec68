import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'

// The globals are looked up at every call, so that importing does nothing and a test may replace them.

/** A timer that is set for longer, some weeks, fires at once. */
const LONGEST_MS = 2 ** 31 - 1

/** The runtime's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const timer: unknown = setTimeout(done, Math.min(ms, LONGEST_MS))
      function done(): void {
        clearTimeout(timer as number)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done)
    }),
}

/** The runtime's own source of randomness. */
export const systemRandom: Random = (bytes) => crypto.getRandomValues(new Uint8Array(bytes))
