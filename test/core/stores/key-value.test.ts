import { keyValueStore } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { simulatedClock } from '../../support/simulated-clock.js'

const plain = () => {
  const map = new Map<string, string>()
  const kv = {
    get: (key: string) => map.get(key),
    set: (key: string, value: string) => void map.set(key, value),
    delete: (key: string) => void map.delete(key),
  }
  return { map, kv }
}

describe('a store over get, set and delete', () => {
  test('two stores over the same object have one queue', async () => {
    const { kv } = plain()
    const all = [keyValueStore(kv), keyValueStore(kv)]
    const won = await Promise.all(all.map((store) => store.replace('k', undefined, 'v')))
    expect(won.filter(Boolean)).toHaveLength(1)
  })

  test('what is written is ASCII', async () => {
    const { kv, map } = plain()
    await keyValueStore(kv).replace('k', undefined, 'ü\u0000\ud83d漢')
    expect(map.get('k')).toMatch(/^[ -~]+$/)
  })

  test('what somebody else wrote is handed out as it is, and can be replaced', async () => {
    const { kv, map } = plain()
    map.set('k', 'theirs')
    const store = keyValueStore(kv)
    expect(await store.get('k')).toBe('theirs')
    expect(await store.replace('k', undefined, 'ours')).toBe(false)
    expect(await store.replace('k', 'theirs', 'ours')).toBe(true)
  })

  test('a list of keys that was damaged is made again by what is written', async () => {
    const { kv, map } = plain()
    const store = keyValueStore(kv)
    await store.replace('a/1', undefined, 'v')
    map.set('countersign:keys', '{')
    expect(await store.keys('')).toEqual([])
    await store.replace('a/1', 'v', 'w')
    await store.replace('a/2', undefined, 'v')
    expect([...(await store.keys('a/'))].sort()).toEqual(['a/1', 'a/2'])
  })

  test('a failure is the caller’s own, and the next one comes', async () => {
    const { kv, map } = plain()
    let broken = true
    const set = (key: string, value: string) => {
      if (broken) throw new Error('disk')
      map.set(key, value)
    }
    const store = keyValueStore({ ...kv, set })
    const first = store.replace('k', undefined, 'v')
    const second = store.replace('k', undefined, 'v')
    await expect(first).rejects.toThrow('disk')
    await expect(second).rejects.toThrow('disk')
    broken = false
    expect(await store.replace('k', undefined, 'v')).toBe(true)
  })

  test('what nobody asks for again is deleted some time after it has expired; other people’s data is not', async () => {
    const clock = simulatedClock()
    const { kv, map } = plain()
    const store = keyValueStore(kv, { now: () => clock.now(), name: 'settings' })
    expect(store.name).toBe('settings')
    map.set('theirs', 'x')
    await store.replace('app/attempt/1', undefined, 'v', { expiresAt: clock.now() + 1_000 })
    await clock.advance(3_600_000)
    await store.replace('app/attempt/2', undefined, 'v', { expiresAt: clock.now() + 1_000 })
    expect([...map.keys()].sort()).toEqual(['app/attempt/2', 'countersign:keys', 'theirs'])
  })
})
