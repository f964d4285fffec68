import type { Clock } from '@countersign/core'
import { shiftedClock } from './shifted-clock.js'

/** The real clock, but that waits of exactly so long, between polls say, are over in a moment. */
export function hurriedClock(waitMs: number): Clock {
  const clock = shiftedClock()
  return { ...clock, sleep: (ms, signal) => clock.sleep(ms === waitMs ? 50 : ms, signal) }
}
