import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@countersign/core'

/** The real clock, set forward: for what a real server must take part in while hours pass for us. */
export interface ShiftedClock extends Clock {
  forward(ms: number): void
}

export function shiftedClock(): ShiftedClock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    sleep: (ms, signal) =>
      delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error
      }),
    forward: (ms) => {
      ahead += ms
    },
  }
}
