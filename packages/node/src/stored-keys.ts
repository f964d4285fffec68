import { CountersignError, type Keys, keyPairAlgorithm, type Store } from '@countersign/core'

/** Whose keys they are. */
export interface StoredKeysOptions {
  /** Prefixes every key in the store, as the connector's own. */
  readonly appId: string
}

/** A pair as it is stored: a private JWK has its public half in it (RFC 7517). */
interface KeyRecord {
  readonly format: 1
  readonly algorithm: string
  readonly jwk: JsonWebKey
}

/**
 * Key pairs in a store, as JWK under `<appId>/key/<id>`. Node has no place for a key that its own process cannot read, so the
 * pairs are as safe as the store is: the keychain, or encrypted files. A private half that was loaded cannot be exported.
 *
 * Its methods throw what the store throws, `options_invalid` for an algorithm that makes no pair and for an id that is taken, and
 * `store_unavailable` for a record that is no key pair.
 */
export function storedKeys(store: Store, { appId }: StoredKeysOptions): Keys {
  const prefix = `${appId}/key/`
  return {
    create: async (id, algorithm) => {
      // Once in its life it can be exported: to be put away.
      const pair = await crypto.subtle.generateKey(keyPairAlgorithm(algorithm), true, ['sign', 'verify'])
      const jwk = await crypto.subtle.exportKey('jwk', (pair as CryptoKeyPair).privateKey)
      const record: KeyRecord = { format: 1, algorithm, jwk }
      if (await store.replace(prefix + id, undefined, JSON.stringify(record))) return importPair(record)
      throw new CountersignError('options_invalid', {
        step: 'connect',
        expected: 'an id that no key pair has',
        received: id,
      })
    },
    load: async (id) => {
      const raw = await store.get(prefix + id)
      if (raw === undefined) return undefined
      try {
        return await importPair(JSON.parse(raw))
      } catch {
        // Without the cause: what cannot be parsed may be quoted in it.
        throw new CountersignError('store_unavailable', {
          step: 'read',
          expected: `a key pair at ${prefix}${id} in ${store.name}`,
          received: 'something else',
          hint: 'Delete the record and sign in again.',
        })
      }
    },
    delete: async (id) => {
      for (;;) {
        const raw = await store.get(prefix + id)
        if (raw === undefined || (await store.replace(prefix + id, raw, undefined))) return
      }
    },
    ids: async () => (await store.keys(prefix)).map((key) => key.slice(prefix.length)),
  }
}

async function importPair({ algorithm, jwk }: KeyRecord): Promise<CryptoKeyPair> {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, key_ops: _ops, ...open } = jwk
  const load = (half: JsonWebKey, extractable: boolean, usage: KeyUsage): Promise<CryptoKey> =>
    crypto.subtle.importKey('jwk', half, keyPairAlgorithm(algorithm), extractable, [usage])
  return { privateKey: await load(jwk, false, 'sign'), publicKey: await load(open, true, 'verify') }
}
