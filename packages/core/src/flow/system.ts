import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'

// The globals are looked up at every call, so that importing does nothing and a test may replace them.

/** The runtime's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const timer: unknown = setTimeout(done, ms)
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
