import type { Clock } from '@countersign/core'

/** The real clock, which a test can put forward: a token expires when the test says so, not when the machine is slow. */
export interface ShiftedClock extends Clock {
  forward(ms: number): void
}

export function shiftedClock(): ShiftedClock {
  let shift = 0
  return {
    now: () => Date.now() + shift,
    monotonic: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const timer = setTimeout(resolve, ms)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
    forward: (ms) => {
      shift += ms
    },
  }
}
