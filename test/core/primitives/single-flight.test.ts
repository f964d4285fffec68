import { describe, expect, test, vi } from 'vitest'
import { SingleFlight } from '../../../packages/core/src/primitives/single-flight.js'

describe('a single flight', () => {
  test('who asks for the same key meanwhile gets the same promise', async () => {
    const flights = new SingleFlight<number>()
    const work = vi.fn(async () => 1)
    const first = flights.run('a', work)
    expect(flights.run('a', work)).toBe(first)
    expect(await first).toBe(1)
    expect(work).toHaveBeenCalledOnce()
  })

  test('keys do not wait for each other', async () => {
    const flights = new SingleFlight<string>()
    void flights.run('a', () => new Promise(() => {}))
    expect(await flights.run('b', async () => 'b')).toBe('b')
  })

  test('starts at once, within the call', () => {
    const work = vi.fn(async () => 1)
    void new SingleFlight<number>().run('a', work)
    expect(work).toHaveBeenCalledOnce()
  })

  test.each([
    ['settled well', async () => 1],
    ['was rejected', () => Promise.reject(new Error('rejected'))],
    [
      'threw synchronously',
      (): Promise<number> => {
        throw new Error('thrown')
      },
    ],
  ])('the next call starts anew after the last %s', async (_, work) => {
    const flights = new SingleFlight<number>()
    await flights.run('a', work).catch(() => {})
    expect(await flights.run('a', async () => 2)).toBe(2)
  })

  test('a failure reaches everyone who joined, and nobody else', async () => {
    const flights = new SingleFlight<number>()
    const work = () => Promise.reject(new Error('down'))
    await expect(Promise.allSettled([flights.run('a', work), flights.run('a', work)])).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ])
  })
})
