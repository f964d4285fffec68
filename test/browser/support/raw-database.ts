/** IndexedDB as any script of the page sees it, past the store. */
export function openRaw(name: string, version?: number, upgrade?: (db: IDBDatabase) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, version)
    asked.onupgradeneeded = () => upgrade?.(asked.result)
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
}

/** Everything in a table, by key. */
export async function dump(name: string, table: string): Promise<ReadonlyMap<unknown, unknown>> {
  const db = await openRaw(name)
  const store = db.transaction(table).objectStore(table)
  const keys = await done(store.getAllKeys())
  const values = await done(store.getAll())
  db.close()
  return new Map(keys.map((key, n) => [key, values[n]]))
}

/** Puts a value into a table; undefined takes it away. */
export async function put(name: string, table: string, key: string, value: unknown): Promise<void> {
  const db = await openRaw(name)
  const store = db.transaction(table, 'readwrite').objectStore(table)
  await (value === undefined ? done(store.delete(key)) : done(store.put(value, key)))
  db.close()
}

const done = <T>(asked: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })

/** Begins to delete a database; resolves once nobody holds it open any more. */
export const remove = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const asked = indexedDB.deleteDatabase(name)
    asked.onsuccess = () => resolve()
    asked.onerror = () => reject(asked.error)
  })
