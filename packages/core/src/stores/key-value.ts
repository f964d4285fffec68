import type { Store } from '../ports/store.js'
import { Mutex } from './mutex.js'

type Awaitable<T> = T | Promise<T>

/** What most key-value stores have, in their own words: a `Map`, a file, a preferences object, a cache. */
export interface KeyValue {
  /** Absent is `undefined` or `null`. */
  get(key: string): Awaitable<string | null | undefined>
  /** Done when it resolves. */
  set(key: string, value: string): Awaitable<unknown>
  /** What is not there is no failure. */
  delete(key: string): Awaitable<unknown>
  /** Every key, or at least every one that starts with `prefix`. Without it, the keys are kept in a record of their own. */
  keys?(prefix: string): Awaitable<Iterable<string>>
}

interface Held {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expires_at?: number
}

/** What may be said of a key-value store. */
export interface KeyValueOptions {
  /** Where the records are, in words for a person. Default: `key-value store of the host`. */
  readonly name?: string
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number
}

/** Where the keys are kept for a `kv` that cannot list them. No record has this name: they all have a slash. */
const INDEX = 'countersign:keys'

/** How often a write that expires is taken as the moment to drop what has expired. */
const SWEEP_MS = 600_000

/** Whoever wraps the same object twice still has one queue for each key. */
const queues = new WeakMap<KeyValue, Mutex>()

/**
 * A store over `get`, `set` and `delete`, for a single process: what makes its compare-and-set is a queue for each key in
 * this process's memory. Processes that share the same data need a store that compares by itself.
 *
 * Values are written as JSON in ASCII, so that what cannot keep empty texts, NUL or half a surrogate pair keeps them
 * here. A value that something else wrote is handed out as it is, and can be replaced by who knows it.
 */
export function keyValueStore(kv: KeyValue, options: KeyValueOptions = {}): Store {
  const { name = 'key-value store of the host', now = () => Date.now() } = options
  const queue = queues.get(kv) ?? new Mutex()
  queues.set(kv, queue)

  const read = async (key: string): Promise<string | undefined> => {
    const text = (await kv.get(key)) ?? undefined
    if (text === undefined) return undefined
    const held = decode(text)
    return held.expires_at !== undefined && held.expires_at <= now() ? undefined : held.value
  }

  const listed = async (): Promise<readonly string[]> => decodeKeys((await kv.get(INDEX)) ?? '[]')
  const list = (change: (keys: Set<string>) => unknown): Promise<void> =>
    queue.run(INDEX, async () => {
      const before = await listed()
      const keys = new Set(before)
      change(keys)
      if (keys.size !== before.length) await kv.set(INDEX, JSON.stringify([...keys]))
    })
  const indexed = kv.keys === undefined

  const remove = async (key: string): Promise<void> => {
    await kv.delete(key)
    if (indexed) await list((keys) => keys.delete(key))
  }

  /** What has expired goes when it is found, unless somebody has just written it anew. */
  const sweep = (key: string): Promise<boolean> =>
    queue.run(key, async () => {
      if ((await read(key)) !== undefined) return true
      await remove(key)
      return false
    })

  let swept = now()
  /** Nobody asks again for an abandoned login. Other people's data under `kv` is not looked at. */
  const sweepAll = async (prefix: string): Promise<void> => {
    if (now() - swept < SWEEP_MS) return
    swept = now()
    await live(prefix)
  }

  const live = async (prefix: string): Promise<readonly string[]> => {
    const all = [...(kv.keys ? await kv.keys(prefix) : await listed())]
    const found = all.filter((key) => key.startsWith(prefix) && key !== INDEX)
    const there = await Promise.all(found.map(async (key) => (await read(key)) !== undefined || sweep(key)))
    return found.filter((_, n) => there[n])
  }

  return {
    name,
    get: read,
    replace: async (key, expected, next, { expiresAt } = {}) => {
      const replaced = await queue.run(key, async () => {
        if ((await read(key)) !== expected) return false
        if (next === undefined) await remove(key)
        else {
          // First, so that a record that is there is always listed.
          if (indexed) await list((keys) => keys.add(key))
          await kv.set(key, encode({ value: next, ...(expiresAt !== undefined && { expires_at: expiresAt }) }))
        }
        return true
      })
      if (expiresAt !== undefined) await sweepAll(key.slice(0, key.indexOf('/') + 1))
      return replaced
    },
    keys: live,
  }
}

const encode = (held: Held): string =>
  JSON.stringify(held).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

function decode(text: string): Held {
  try {
    const { value, expires_at } = JSON.parse(text)
    if (typeof value === 'string') return { value, ...(typeof expires_at === 'number' && { expires_at }) }
  } catch {
    // Somebody else's value: handed out below, for the caller to judge.
  }
  return { value: text }
}

function decodeKeys(text: string): readonly string[] {
  try {
    const keys: unknown = JSON.parse(text)
    return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : []
  } catch {
    // A list that cannot be read is made again by the writes to come.
    return []
  }
}
