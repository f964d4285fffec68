import { describe, expect, test } from 'vitest'
import { withDeadline } from '../../../packages/core/src/http/deadline.js'
import { simulatedClock } from '../../support/simulated-clock.js'

const late = new Error('too late')
const given = new Error('given up')
const never = (): Promise<never> => new Promise(() => undefined)

function limits(timeoutMs = 1_000, signal?: AbortSignal) {
  const clock = simulatedClock()
  return { clock, timeoutMs, signal, onTimeout: () => late, onAbort: () => given }
}

describe('a deadline', () => {
  test('lets an answer through that comes in time', async () => {
    const clocked = limits()
    const work = withDeadline(clocked, () => clocked.clock.sleep(999).then(() => 'answer'))
    await clocked.clock.advance(999)
    expect(await work).toBe('answer')
  })

  test('ends work that takes longer, and tells it so', async () => {
    const clocked = limits()
    let told: AbortSignal | undefined
    const work = withDeadline(clocked, (signal) => {
      told = signal
      return never()
    })
    const ended = expect(work).rejects.toBe(late)
    await clocked.clock.advance(999)
    expect(told?.aborted).toBe(false)
    await clocked.clock.advance(1)
    await ended
    expect(told?.reason).toBe(late)
  })

  test('that comes late lets an answer through that is there already: a process that was stopped reads it first', async () => {
    const clocked = limits()
    // Both are due when the process wakes up, the deadline first.
    const work = withDeadline(clocked, () => clocked.clock.sleep(1_000).then(() => 'answer'))
    await clocked.clock.advance(1_000)
    expect(await work).toBe('answer')
  })

  test('gives a process that was stopped four seconds of what it has missed, and no more than it has missed', async () => {
    const taken: number[] = []
    for (const missedMs of [60_000, 3_000]) {
      const { clock, ...rest } = limits()
      let stoppedMs = 0
      const work = withDeadline({ ...rest, clock: { ...clock, monotonic: () => clock.monotonic() + stoppedMs } }, never)
      const ended = work.catch(() => taken.push(clock.monotonic()))
      stoppedMs = missedMs
      await clock.advance(60_000)
      await ended
    }
    expect(taken).toEqual([5_000, 4_000])
  })

  test('leaves no timer behind', async () => {
    const clocked = limits()
    await withDeadline(clocked, async () => 'answer')
    await expect(withDeadline(clocked, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(clocked.clock.sleeping).toEqual([])
  })
})

describe("the caller's signal", () => {
  test('ends work, and tells it so', async () => {
    const caller = new AbortController()
    const clocked = limits(1_000, caller.signal)
    let told: AbortSignal | undefined
    const work = withDeadline(clocked, (signal) => {
      told = signal
      return never()
    })
    caller.abort()
    await expect(work).rejects.toBe(given)
    expect(told?.reason).toBe(given)
    expect(clocked.clock.sleeping).toEqual([])
  })

  test('that has come before keeps the work from beginning', async () => {
    const work = withDeadline(limits(1_000, AbortSignal.abort()), () => expect.unreachable('nothing may begin'))
    await expect(work).rejects.toBe(given)
  })

  test('that comes after the answer changes nothing', async () => {
    const caller = new AbortController()
    let told: AbortSignal | undefined
    const work = withDeadline(limits(1_000, caller.signal), async (signal) => {
      told = signal
      return 'answer'
    })
    expect(await work).toBe('answer')
    caller.abort()
    expect(told?.aborted).toBe(false)
  })
})
