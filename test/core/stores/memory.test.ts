import { memoryStore } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { simulatedClock } from '../../support/simulated-clock.js'

describe('the store in memory', () => {
  test('forgets a record at its expiry, in every way of asking', async () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    await store.replace('k', undefined, 'v', { expiresAt: clock.now() + 1_000 })
    await clock.advance(999)
    expect(await store.get('k')).toBe('v')
    await clock.advance(1)
    expect(await store.get('k')).toBeUndefined()
    expect(await store.keys('')).toEqual([])
    expect(await store.replace('k', 'v', 'w')).toBe(false)
    expect(await store.replace('k', undefined, 'w')).toBe(true)
  })

  test('a write without expiry ends the expiry that there was', async () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    await store.replace('k', undefined, 'v', { expiresAt: clock.now() + 1_000 })
    await store.replace('k', 'v', 'w')
    await clock.advance(2_000)
    expect(await store.get('k')).toBe('w')
  })

  test('drops what has expired although nobody asks for it', async () => {
    const clock = simulatedClock()
    let alive = 0
    const store = memoryStore(() => {
      alive++
      return clock.now()
    })
    for (let n = 0; n < 100; n++) await store.replace(`${n}`, undefined, 'v', { expiresAt: clock.now() + 1_000 })
    await clock.advance(1_000)
    await store.replace('new', undefined, 'v', { expiresAt: clock.now() + 1_000 })
    alive = 0
    expect(await store.keys('')).toEqual(['new'])
    expect(alive).toBe(1)
  })

  test('tells who watches a record of every write to it, until they have had enough', async () => {
    const store = memoryStore()
    const told: string[] = []
    const end = store.watch?.('k', () => told.push('k'))
    store.watch?.('other', () => told.push('other'))
    await store.replace('k', undefined, 'v')
    await store.replace('k', 'not it', 'w')
    await store.replace('k', 'v', undefined)
    end?.()
    await store.replace('k', undefined, 'v')
    expect(told).toEqual(['k', 'k'])
  })
})
