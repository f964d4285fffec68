/** Numbers that look random and are the same for the same seed, so that a round that failed can be run again. */
export interface SeededRandom {
  readonly seed: number
  /** From 0 (included) to 1 (excluded). */
  next(): number
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  pick<T>(of: readonly T[]): T
  /** Another source, which is always the same for the same seed and name. */
  child(name: number): SeededRandom
}

/**
 * @param seed - 32 bits. Default: `FAULTS_SEED` from the environment, else another one each time; tests print it where they fail
 */
export function seededRandom(seed: number = seedOfThisRun()): SeededRandom {
  let state = seed >>> 0
  // Mulberry32: short, and good enough to choose faults with.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    seed,
    next,
    below: (below) => Math.floor(next() * below),
    pick: (of) => of[Math.floor(next() * of.length)]!,
    child: (name) => seededRandom((Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(name + 1, 0xc2b2ae35)) >>> 0),
  }
}

function seedOfThisRun(): number {
  const given = process.env.FAULTS_SEED
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
}
