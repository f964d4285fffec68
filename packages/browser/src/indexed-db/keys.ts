import { CountersignError, type Keys, keyPairAlgorithm } from '@countersign/core'
import { database, request } from './database.js'
import type { IndexedDbOptions } from './store.js'

/**
 * Key pairs in the same database, whose private halves no script can export (RFC 9449 section 11.4 names why that is worth
 * having). A script in the page can use them.
 *
 * Its methods throw `store_unavailable`, and `create` throws `options_invalid` for an algorithm that makes no pair, and for an id
 * that is taken.
 */
export function indexedDbKeys({ name = 'countersign' }: IndexedDbOptions = {}): Keys {
  const { run } = database(name)
  return {
    create: async (id, algorithm) => {
      const pair = (await crypto.subtle.generateKey(keyPairAlgorithm(algorithm), false, [
        'sign',
        'verify',
      ])) as CryptoKeyPair
      const added = await run('readwrite', 'pairs', async (table) => {
        if ((await request(table.getKey(id))) !== undefined) return false
        await request(table.put(pair, id))
        return true
      })
      if (added) return pair
      throw new CountersignError('options_invalid', {
        step: 'connect',
        expected: 'an id that no key pair has',
        received: id,
      })
    },
    load: (id) => run('readonly', 'pairs', (table) => request(table.get(id))),
    delete: (id) => run('readwrite', 'pairs', async (table) => void (await request(table.delete(id)))),
    ids: () => run('readonly', 'pairs', async (table) => (await request(table.getAllKeys())) as string[]),
  }
}
