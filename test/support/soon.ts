import { expect } from 'vitest'

/** What is going to be true in a moment, also on a machine that is busy with other things. */
export const soon = <T>(look: () => T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(look, { timeout: 10_000, interval: 10 })
