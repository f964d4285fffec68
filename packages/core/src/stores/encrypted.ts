import { CountersignError } from '../errors/error.js'
import type { Store } from '../ports/store.js'
import { type EncryptionKey, sealing } from './sealing.js'

/**
 * Any store, with its values encrypted (AES-256-GCM). Keys of records stay readable; they hold no secret.
 *
 * A value names the key that it was encrypted with, and is bound to the record it was written for, so that whoever can
 * write to the store cannot put one record's value in another's place. They can still put back an older value, or delete it.
 *
 * To rotate: put the new key first and keep the old ones. What is written from then on has the new key; a record keeps its
 * old one until it is written again.
 *
 * @param keyRing - the first key encrypts, every key decrypts
 * @param options.unreadable - what becomes of a value that no key opens. `refuse`, the default, throws, because a key may be
 * missing by mistake. `discard` is for keys that cannot come back: whoever reads finds a text that is no record, and may write
 * over it
 * @throws CountersignError `options_invalid` for a key ring that is empty, repeats an id, or has a key that is not 256 bits
 * long. Later, from the store's own methods, `store_unavailable` for a value that no key opens. It is left as it is.
 */
export function encrypted(
  store: Store,
  keyRing: readonly EncryptionKey[],
  { unreadable = 'refuse' }: { readonly unreadable?: 'refuse' | 'discard' } = {},
): Store {
  const { seal, open } = sealing(keyRing)
  const name = `${store.name}, encrypted`

  const opened = async (key: string, raw: string | undefined): Promise<string | undefined> => {
    if (raw === undefined) return undefined
    const found = await open(key, raw)
    if (found.value !== undefined) return found.value
    // Never what it says: whoever wrote it did not have the key.
    if (unreadable === 'discard') return `unreadable: ${raw}`
    throw new CountersignError('store_unavailable', {
      step: 'read',
      expected: `${key} in ${name}`,
      received: found.received,
      hint: 'Add its key to the key ring. If that key is lost, delete the record and sign in again.',
    })
  }

  const { watch } = store
  return {
    name,
    get: async (key) => opened(key, await store.get(key)),
    replace: async (key, expected, next, options) => {
      // The same text encrypts to another value every time: the plaintexts are compared, then what was read is swapped.
      for (let before: string | undefined; ; ) {
        const raw = await store.get(key)
        if ((await opened(key, raw)) !== expected) return false
        // Refused, and yet it is what was read: the store has its own reasons.
        if (raw !== undefined && raw === before) return false
        const sealed = next === undefined ? undefined : await seal(key, next)
        if (await store.replace(key, raw, sealed, options)) return true
        if (raw === undefined) return false
        // Somebody wrote the same text in the meantime; by value, nothing has changed.
        before = raw
      }
    },
    keys: (prefix) => store.keys(prefix),
    ...(watch && { watch: (key: string, changed: () => void) => watch.call(store, key, changed) }),
  }
}
