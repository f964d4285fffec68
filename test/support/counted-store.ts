import type { Store } from '@countersign/core'

/** A store, and how often it was asked for what. */
export interface CountedStore extends Store {
  readonly reads: number
  readonly writes: number
  clear(): void
}

export function countedStore(store: Store): CountedStore {
  let reads = 0
  let writes = 0
  return {
    ...store,
    get: (key) => {
      reads++
      return store.get(key)
    },
    replace: (...write) => {
      writes++
      return store.replace(...write)
    },
    get reads() {
      return reads
    },
    get writes() {
      return writes
    },
    clear: () => {
      reads = 0
      writes = 0
    },
  }
}
