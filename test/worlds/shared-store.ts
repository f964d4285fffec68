import type { Store } from '@countersign/core'
import type { Grant } from '../../packages/core/src/flow/grant.js'
import { reach } from './reach.js'
import type { Process, Simulation } from './simulation.js'

/** The one store of a world, over which its processes meet. Each sees it through a port of its own. */
export class SharedStore {
  readonly values = new Map<string, string>()
  readonly #sim: Simulation
  /** Until when it refuses a process's writes. */
  readonly refuses = new Map<Process, number>()
  /** Told what was written over what, before the process that wrote it hears of it. */
  wrote: (process: Process, before: Grant | undefined, after: Grant | undefined) => void = () => undefined
  /** Told whenever a process is about to hear from the store. */
  hears: (process: Process) => void = () => undefined
  /** How long a comparison and its write are apart, in milliseconds. */
  apart: (process: Process) => number = () => 0

  constructor(sim: Simulation) {
    this.#sim = sim
  }

  /** The grant that is stored. */
  get grant(): Grant | undefined {
    for (const [key, value] of this.values) if (key.includes('/grant/')) return grantOf(value)
    return undefined
  }

  /** The store as the world prepares it: at once. */
  get direct(): Store {
    return {
      name: 'direct',
      get: async (key) => this.values.get(key),
      replace: async (key, expected, next) => this.#swap(key, expected, next),
      keys: async (prefix) => [...this.values.keys()].filter((key) => key.startsWith(prefix)),
    }
  }

  portOf(process: Process): Store {
    const use = <T>(work: () => T): Promise<T> =>
      reach(this.#sim, process, this.#sim.seed.between(20, 300), work, this.hears)
    return {
      name: 'simulated',
      get: (key) => use(() => this.values.get(key)),
      keys: (prefix) => use(() => [...this.values.keys()].filter((key) => key.startsWith(prefix))),
      replace: (key, expected, next) =>
        use(() => {
          if ((this.refuses.get(process) ?? 0) > this.#sim.now) throw new Error('read-only')
          if (this.values.get(key) !== expected) return false
          const ms = this.apart(process)
          if (ms > 0) this.#sim.later(ms, () => this.#put(process, key, expected, next))
          else this.#put(process, key, expected, next)
          return true
        }),
    }
  }

  #put(process: Process, key: string, expected: string | undefined, next: string | undefined): void {
    this.#swap(key, this.values.get(key), next)
    if (key.includes('/grant/')) this.wrote(process, grantOf(expected), grantOf(next))
  }

  #swap(key: string, expected: string | undefined, next: string | undefined): boolean {
    if (this.values.get(key) !== expected) return false
    if (next === undefined) this.values.delete(key)
    else this.values.set(key, next)
    return true
  }
}

const grantOf = (raw: string | undefined): Grant | undefined => (raw === undefined ? undefined : JSON.parse(raw).value)
