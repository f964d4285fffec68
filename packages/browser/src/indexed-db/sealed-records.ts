import type { Store } from '@countersign/core'
import { type Database, request } from './database.js'

interface Held {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expires_at?: number
}

/** Records as they are on the disk: compare-and-set in one transaction, over values that are encrypted already. */
export function sealedRecords({ run }: Database, name: string, now: () => number): Store {
  const read = async (table: IDBObjectStore, key: string): Promise<string | undefined> => {
    const held = await request<Held | undefined>(table.get(key))
    if (held === undefined || (held.expires_at !== undefined && held.expires_at <= now())) return undefined
    // Not what was put there: nothing opens it, and it may be written over.
    return typeof held.value === 'string' ? held.value : 'damaged'
  }
  const expired = (table: IDBObjectStore): Promise<IDBValidKey[]> =>
    request(table.index('expires_at').getAllKeys(IDBKeyRange.upperBound(now())))

  return {
    name: `database ${name} in IndexedDB`,
    get: (key) => run('readonly', 'records', (table) => read(table, key)),
    replace: (key, expected, next, { expiresAt } = {}) =>
      run('readwrite', 'records', async (table) => {
        if ((await read(table, key)) !== expected) return false
        const held: Held | undefined =
          next === undefined ? next : { value: next, ...(expiresAt !== undefined && { expires_at: expiresAt }) }
        await (held ? request(table.put(held, key)) : request(table.delete(key)))
        // Nobody asks again for an abandoned login, so such a write is the moment to drop what has expired.
        if (expiresAt !== undefined) for (const old of await expired(table)) table.delete(old)
        return true
      }),
    keys: (prefix) =>
      run('readonly', 'records', async (table) => {
        const all = (await request(table.getAllKeys(IDBKeyRange.lowerBound(prefix)))) as string[]
        const gone = new Set(await expired(table))
        return all.filter((key) => key.startsWith(prefix) && !gone.has(key))
      }),
  }
}
