import { unavailable } from './unavailable.js'

/** What is kept where: `records` by their keys, `sealing` the key that they are encrypted with, `pairs` by their ids. */
export type Table = 'records' | 'sealing' | 'pairs'

/** The database of an application: opened when it is first used, and again when the browser or another tab has closed it. */
export interface Database {
  /** The connection as it is now: what was read through another one may be gone. */
  opened(): Promise<IDBDatabase>
  /**
   * Runs `work` in one transaction. It may await nothing but requests of that transaction: it is over when none is left.
   *
   * @returns what `work` returned, once it is on the disk
   * @throws CountersignError `store_unavailable`
   */
  run<T>(mode: IDBTransactionMode, table: Table, work: (table: IDBObjectStore) => Promise<T>): Promise<T>
}

/** How a version of the database comes of the one before. */
export interface Schema {
  readonly version: number
  upgrade(database: IDBDatabase, from: number): void
}

const schema: Schema = {
  version: 1,
  upgrade(database) {
    database.createObjectStore('records').createIndex('expires_at', 'expires_at')
    database.createObjectStore('sealing')
    database.createObjectStore('pairs')
  },
}

/** How long an opening waits for other tabs, and for a browser that says nothing at all. */
const OPEN_MS = 5_000

/** @param name - of the database, one for all applications of an origin that do not choose otherwise */
export function database(name: string, made: Schema = schema): Database {
  let connection: Promise<IDBDatabase> | undefined
  const opened = (): Promise<IDBDatabase> => {
    const forget = (): void => {
      if (connection === mine) connection = undefined
    }
    const mine = connection ?? open(name, made, forget)
    if (connection === undefined) mine.catch(forget)
    connection = mine
    return mine
  }
  const begin = async (mode: IDBTransactionMode, table: Table): Promise<IDBTransaction> => {
    // Rotated tokens exist nowhere else: they are on the disk before anybody uses them.
    const start = async () => (await opened()).transaction(table, mode, { durability: 'strict' })
    try {
      return await start()
    } catch (cause) {
      // Closed between the two steps.
      if ((cause as Error).name !== 'InvalidStateError') throw cause
      connection = undefined
      return start()
    }
  }
  return {
    opened,
    run: async (mode, table, work) => {
      try {
        const transaction = await begin(mode, table)
        const ended = new Promise<void>((resolve, reject) => {
          transaction.oncomplete = () => resolve()
          transaction.onabort = () => reject(transaction.error)
        })
        const [result] = await Promise.all([abortOnFailure(transaction, work), ended])
        return result
      } catch (cause) {
        throw unavailable(name, cause)
      }
    },
  }

  async function abortOnFailure<T>(
    transaction: IDBTransaction,
    work: (table: IDBObjectStore) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(transaction.objectStore(transaction.objectStoreNames[0] as string))
    } catch (cause) {
      // Nothing is half done. A request that failed has ended it already, and then this throws.
      try {
        transaction.abort()
      } catch {}
      throw cause
    }
  }
}

/** A request of a transaction, as a promise that may be awaited inside it. */
export const request = <T>(asked: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })

function open(name: string, { version, upgrade }: Schema, gone: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      clearTimeout(late)
      late = undefined
      reject(unavailable(name, cause))
    }
    let late: ReturnType<typeof setTimeout> | undefined = setTimeout(
      () => fail({ name: 'TimeoutError', message: `no answer in ${OPEN_MS} ms` }),
      OPEN_MS,
    )
    try {
      const { indexedDB } = globalThis
      if (!indexedDB) return fail({ name: 'NotSupportedError', message: 'no IndexedDB here' })
      const asked = indexedDB.open(name, version)
      asked.onupgradeneeded = ({ oldVersion }) => upgrade(asked.result, oldVersion)
      asked.onerror = () => fail(asked.error)
      asked.onsuccess = () => {
        const { result } = asked
        // Nobody waits for it any more.
        if (late === undefined) return result.close()
        clearTimeout(late)
        // Another tab has a newer version, or the browser took the data away: nobody is held up by this one.
        result.onversionchange = result.onclose = () => {
          result.close()
          gone()
        }
        resolve(result)
      }
    } catch (cause) {
      fail(cause)
    }
  })
}
