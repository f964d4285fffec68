import { isDeepStrictEqual } from 'node:util'
import type { Report } from './report.js'

/** A step did not do what it says. It has been reported when this is thrown. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed'
}

/** Compares what a step did with what it says. */
export interface Checks {
  /** How many have passed. */
  readonly passed: number
  /** Reports the comparison, and throws `CheckFailed` where the two differ. */
  equal(what: string, received: unknown, expected: unknown): void
  /** As `equal`, for a fact: `received` is what is shown of it. */
  holds(what: string, fact: boolean, received: unknown, expected: string): void
}

export function createChecks(report: Report): Checks {
  let passed = 0
  const settle = (ok: boolean, what: string, received: unknown, expected: unknown): void => {
    report({ type: 'check', ok, what, expected, received })
    if (!ok) throw new CheckFailed(what)
    passed++
  }
  return {
    get passed() {
      return passed
    },
    equal: (what, received, expected) => settle(isDeepStrictEqual(received, expected), what, received, expected),
    holds: (what, fact, received, expected) => settle(fact, what, received, expected),
  }
}
