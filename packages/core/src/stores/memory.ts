import type { Store } from '../ports/store.js'

interface Held {
  readonly value: string
  readonly expiresAt: number | undefined
}

/**
 * Records in this process's memory: nothing outlives it.
 *
 * @param now - milliseconds since the epoch; the runtime's clock by default
 */
export function memoryStore(now: () => number = () => Date.now()): Store {
  const records = new Map<string, Held>()
  const watchers = new Map<string, Set<() => void>>()

  const live = (key: string): string | undefined => {
    const held = records.get(key)
    if (held?.expiresAt === undefined || held.expiresAt > now()) return held?.value
    records.delete(key)
    return undefined
  }

  return {
    name: 'memory of this process',
    get: async (key) => live(key),
    replace: async (key, expected, next, options) => {
      if (live(key) !== expected) return false
      if (next === undefined) records.delete(key)
      else records.set(key, { value: next, expiresAt: options?.expiresAt })
      // Nobody asks again for an abandoned login, so a write is the moment to drop what has expired.
      if (options?.expiresAt !== undefined) for (const other of [...records.keys()]) live(other)
      for (const changed of [...(watchers.get(key) ?? [])]) changed()
      return true
    },
    keys: async (prefix) => [...records.keys()].filter((key) => key.startsWith(prefix) && live(key) !== undefined),
    watch: (key, changed) => {
      const listeners = watchers.get(key) ?? new Set()
      watchers.set(key, listeners.add(changed))
      return () => {
        listeners.delete(changed)
        if (listeners.size === 0) watchers.delete(key)
      }
    },
  }
}
