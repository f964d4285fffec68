import {
  type Connector,
  type ConnectorOptions,
  CountersignError,
  createConnector as createCoreConnector,
  dpop,
  type Store,
  tokenExchange,
} from '@countersign/core'
import { defaultUserAgent } from './default-user-agent.js'
import { nodePresence } from './presence.js'
import { defaultStore } from './store/default.js'
import { storedKeys } from './stored-keys.js'

/** A connector in Node: as core's, but `appId` is required. */
export interface NodeConnectorOptions extends ConnectorOptions {
  /** Prefixes every key in the store, so that two applications can share one: `com.example.agent`, say. */
  readonly appId: string
  /**
   * Where logins, registrations and metadata are kept. Default: what `chooseStore({ appId })` picks, at the first use: encrypted
   * files where `COUNTERSIGN_STORE_KEY` is set, else the keychain. Where there is neither, every call that needs the store
   * fails with `store_unavailable`; `memoryStore()` is for logins that may end with the process.
   */
  readonly store?: Store
}

/**
 * Creates a connector with Node's defaults: a browser opens and its answer comes to a port of this machine (`loopback()`, RFC
 * 8252), or, where none can open (over SSH, say), the person at the terminal gets a code or an address (`deviceCode()`, else
 * `paste()`); a store that outlives the process, and `dpop()` with its keys in that store. Nothing is loaded or opened before the
 * first use.
 *
 * @throws CountersignError `options_invalid`
 */
export function createConnector(options: NodeConnectorOptions): Connector {
  // The store outlives the process: without a name, whose logins would these be?
  if (!options?.appId) {
    throw new CountersignError('options_invalid', { step: 'connect', expected: 'createConnector({ appId })' })
  }
  const { appId, store = defaultStore({ appId }) } = options
  return createCoreConnector({
    ...options,
    store,
    dpop: options.dpop ?? dpop(),
    keys: options.keys ?? storedKeys(store, { appId }),
    // What has credentials asks nobody.
    ...(options.credentials === undefined && { userAgent: options.userAgent ?? defaultUserAgent() }),
    tokenExchange: options.tokenExchange ?? tokenExchange(),
    presence: options.presence ?? nodePresence(),
  })
}
