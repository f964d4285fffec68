import { dpop as coreDpop, type Dpop, type DpopOptions, type Keys } from '@countersign/core'
import { indexedDbKeys } from './indexed-db/keys.js'

let ofThisBrowser: Keys | undefined

/**
 * As core's, with keys that outlive the page and that no script can export: `indexedDbKeys()`, unless the connector has `keys`.
 *
 * The authorization server and the MCP server have to allow pages the header `DPoP` and to expose `DPoP-Nonce` (CORS).
 */
export const dpop = ({ keys, ...options }: DpopOptions = {}): Dpop => {
  // One for all of them, so that two of the same options are the same.
  ofThisBrowser ??= indexedDbKeys()
  return coreDpop({ ...options, keys: keys ?? ofThisBrowser })
}
