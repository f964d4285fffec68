import { CountersignError } from '../errors/error.js'
import type { Keys } from '../ports/keys.js'
import { keyPairAlgorithm } from '../primitives/key-pair-algorithm.js'

/** Key pairs in this process's memory, whose private halves nobody can export: nothing outlives it. */
export function memoryKeys(): Keys {
  const pairs = new Map<string, CryptoKeyPair>()
  return {
    create: async (id, algorithm) => {
      const made = await crypto.subtle.generateKey(keyPairAlgorithm(algorithm), false, ['sign', 'verify'])
      if (pairs.has(id)) {
        const expected = 'an id that no key pair has'
        throw new CountersignError('options_invalid', { step: 'connect', expected, received: id })
      }
      const pair = made as CryptoKeyPair
      pairs.set(id, pair)
      return pair
    },
    load: async (id) => pairs.get(id),
    delete: async (id) => void pairs.delete(id),
    ids: async () => [...pairs.keys()],
  }
}
