import { type EncryptionKey, encrypted, type Store } from '@countersign/core'
import { database } from './database.js'
import { news } from './news.js'
import { sealedRecords } from './sealed-records.js'
import { sealingKey } from './sealing-key.js'

/** Which database. */
export interface IndexedDbOptions {
  /** Of the database. Default: `countersign`, which the applications of an origin share. */
  readonly name?: string
}

/** Which database, and by which clock its records expire. */
export interface IndexedDbStoreOptions extends IndexedDbOptions {
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number
}

/**
 * Records that outlive the tab, shared by all tabs of the origin, encrypted with a key of the browser's that cannot be exported
 * (AES-256-GCM). They cannot be read from the disk. A script in the page can use them.
 *
 * Nothing is opened before it is used. A tab lets go of the database when another brings a newer version of it. A record whose
 * key the browser has dropped is discarded with a diagnostic: the person signs in again.
 *
 * Its methods throw `store_unavailable` where the browser keeps no data (private windows, settings), has no room, where another
 * tab holds the database up for 5 s, or where it is damaged; the hint says which.
 */
export function indexedDbStore({ name = 'countersign', now = () => Date.now() }: IndexedDbStoreOptions = {}): Store {
  const data = database(name)
  const sealed = sealedRecords(data, name, now)
  // With the connection, because a database that was taken away comes back empty, and then has another key.
  const opened = new WeakMap<IDBDatabase, Promise<Store>>()
  const store = async (): Promise<Store> => {
    const connection = await data.opened()
    const ready = opened.get(connection) ?? sealingKey(data).then(open)
    opened.set(connection, ready)
    // A key that could not be read now may be later.
    ready.catch(() => opened.delete(connection))
    return ready
  }
  const open = (key: EncryptionKey): Store => encrypted(sealed, [key], { unreadable: 'discard' })
  const { tell, watch } = news(`${name}/records`)

  const own: Store = {
    name: `${sealed.name}, encrypted`,
    get: async (key) => (await store()).get(key),
    replace: async (key, ...change) => {
      const replaced = await (await store()).replace(key, ...change)
      if (replaced && globalThis.BroadcastChannel) tell(key)
      return replaced
    },
    keys: (prefix) => sealed.keys(prefix),
    // Without channels it is polled, like any store that cannot tell.
    ...(globalThis.BroadcastChannel && { watch }),
  }
  ofThisBrowser.add(own)
  return own
}

/** Stores that only tabs of this browser share, so that one tab may judge by its locks whether another is gone. */
export const ofThisBrowser: WeakSet<Store> = new WeakSet<Store>()
