import type { Clock } from '@countersign/core'
import { nextTurn } from './next-turn.js'

/** A clock whose time only moves when a test moves it. */
export interface SimulatedClock extends Clock {
  /** Moves the time, waking sleepers in the order in which they are due, each at its own time. */
  advance(ms: number): Promise<void>
  /** Resolves as soon as somebody sleeps for exactly so long: the moment at which moving the time means something. */
  asleep(ms: number): Promise<void>
  /** How long those sleep who are asleep now. */
  readonly sleeping: readonly number[]
}

interface Sleeper {
  readonly ms: number
  readonly due: number
  readonly wake: () => void
}

/** Lets everything go on that waits for nothing but a turn of the loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
}

/** When every simulated clock begins, in milliseconds since the epoch. */
export const START: number = Date.UTC(2026, 0, 1)

export function simulatedClock(): SimulatedClock {
  let time = START
  const sleepers = new Set<Sleeper>()
  const waiting = new Set<{ readonly ms: number; readonly resolve: () => void }>()

  const nextDue = (until: number): Sleeper | undefined =>
    // Sorting is stable: of two that are due together, the one that went to sleep first wakes first.
    [...sleepers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0]

  return {
    now: () => time,
    monotonic: () => time - START,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper: Sleeper = {
          ms,
          due: time + ms,
          wake: () => {
            sleepers.delete(sleeper)
            signal?.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake)
        for (const waiter of waiting) if (waiter.ms === ms) waiter.resolve()
      }),
    async advance(ms) {
      const until = time + ms
      await settled()
      for (let sleeper = nextDue(until); sleeper !== undefined; sleeper = nextDue(until)) {
        time = Math.max(time, sleeper.due)
        sleeper.wake()
        await settled()
      }
      time = until
    },
    asleep: (ms) =>
      new Promise((resolve) => {
        if ([...sleepers].some((sleeper) => sleeper.ms === ms)) return resolve()
        const waiter = {
          ms,
          resolve: () => {
            waiting.delete(waiter)
            resolve()
          },
        }
        waiting.add(waiter)
      }),
    get sleeping() {
      return [...sleepers].map(({ ms }) => ms).sort((a, b) => a - b)
    },
  }
}
