import type { Clock } from '@countersign/core'
import { seededRandom } from '../support/seeded-random.js'
import { START } from '../support/simulated-clock.js'

/** A process of a simulation: it can be stopped for a while, and killed. */
export interface Process {
  readonly id: number
  stoppedUntil: number
  /** How long it was stopped in all, in milliseconds. */
  stoppedMs: number
  /** How long its monotonic clock stood still: a stop of the machine, not of the process. */
  sleptMs: number
  dead: boolean
}

interface Due {
  readonly at: number
  readonly rank: number
  readonly tie: number
  readonly process: Process | undefined
  readonly run: () => void
}

/** What comes first of what is due at the same time: a process that wakes sees its timers before its sockets. */
const TIMER = 0
const ANSWER = 1
const NEXT_TURN = 2

/** Reproducible randomness: everything that happens in a simulation follows from its seed. */
export interface Seeded {
  /** From 0 to 1, without 1. */
  random(): number
  chance(probability?: number): boolean
  between(low: number, high: number): number
  bytes(count: number): Uint8Array
}

export function seeded(seed: number): Seeded {
  const { next: random } = seededRandom((seed * 2654435761) >>> 0)
  return {
    random,
    chance: (probability = 0) => probability > 0 && random() < probability,
    between: (low, high) => low + Math.floor(random() * (high - low + 1)),
    bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
  }
}

/** Time, and what happens in it: one thing after the other, in an order that follows from the seed. */
export class Simulation {
  now = 0
  readonly seed: Seeded
  readonly processes: Process[] = []
  #due: Due[] = []

  constructor(seed: Seeded) {
    this.seed = seed
  }

  process(): Process {
    const id = this.processes.length
    const process = { id, stoppedUntil: 0, stoppedMs: 0, sleptMs: 0, dead: false }
    this.processes.push(process)
    return process
  }

  /** Something outside of every process. */
  later(ms: number, run: () => void): void {
    this.#add({ at: this.now + ms, rank: ANSWER, process: undefined, run })
  }

  /** Something that a process sees when it runs: at once if it does, else when it goes on, and never if it was killed. */
  deliver(process: Process, run: () => void): void {
    if (process.dead) return
    if (process.stoppedUntil <= this.now) run()
    else this.#add({ at: process.stoppedUntil, rank: ANSWER, process, run })
  }

  /** Stops a process as it is; `asleep`: its monotonic clock too. */
  stop(process: Process, ms: number, asleep: boolean): void {
    process.stoppedUntil = Math.max(process.stoppedUntil, this.now + ms)
    process.stoppedMs += ms
    if (asleep) process.sleptMs += ms
  }

  clockOf(process: Process): Clock {
    const monotonic = (): number => this.now - process.sleptMs
    const sleep: Clock['sleep'] = (ms, signal) =>
      new Promise((resolve) => {
        const until = monotonic() + ms
        const wait = (left: number): void =>
          this.#add({ at: this.now + left, rank: ms > 0 ? TIMER : NEXT_TURN, process, run: wake })
        const wake = (): void => {
          if (signal?.aborted) return
          const left = until - monotonic()
          if (left > 0) wait(left)
          else over()
        }
        const over = (): void => {
          signal?.removeEventListener('abort', over)
          resolve()
        }
        if (signal?.aborted) return resolve()
        signal?.addEventListener('abort', over)
        wait(ms)
      })
    return { now: () => START + this.now, monotonic, sleep }
  }

  /** Runs until nothing is left to happen, `done` says so, or it is `until`. */
  async run(until: number, done: () => boolean): Promise<void> {
    await turn()
    while (!done()) {
      const next = this.#next()
      if (next === undefined || next.at > until) return
      this.now = Math.max(this.now, next.at)
      if (next.process?.dead) continue
      if (next.process !== undefined && next.process.stoppedUntil > this.now) {
        this.#due.push({ ...next, at: next.process.stoppedUntil })
        continue
      }
      next.run()
      await turn()
    }
  }

  #add(due: Omit<Due, 'tie'>): void {
    this.#due.push({ ...due, tie: this.seed.random() })
  }

  #next(): Due | undefined {
    let at = -1
    for (let i = 0; i < this.#due.length; i++) {
      const a = this.#due[i] as Due
      const b = this.#due[at]
      if (
        b === undefined ||
        a.at < b.at ||
        (a.at === b.at && (a.rank < b.rank || (a.rank === b.rank && a.tie < b.tie)))
      ) {
        at = i
      }
    }
    return at < 0 ? undefined : this.#due.splice(at, 1)[0]
  }
}

/** Lets everything go on that waits for nothing but promises. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
