import {
  type Connector,
  type ConnectorOptions,
  createConnector as createCoreConnector,
  type Diagnostic,
} from '@countersign/core'
import { mcpFetch, readable } from './cross-origin.js'
import { indexedDbStore, ofThisBrowser } from './indexed-db/store.js'
import { pageFetch } from './page-fetch.js'
import { tabPresence } from './tab-presence.js'

/** A connector in a page: as core's, but `appId` is required. */
export interface BrowserConnectorOptions extends ConnectorOptions {
  /** Prefixes every key in the store, so that two applications can share one: `com.example.app`, say. */
  readonly appId: string
}

/**
 * Creates a connector with a browser's defaults: `interaction: 'explicit'`, so that only `authorize()` takes the person away
 * from what they do; records in `indexedDbStore()`, which outlive the tab; and `tabPresence()` over it, so that the tabs of a
 * browser refresh a login once. No user agent is chosen: pass `popup({ redirectUri })` or `redirect({ redirectUri })`.
 *
 * An answer that the browser keeps from the page is `cross_origin_blocked`, and a refusal without a token that nobody can read
 * leads to the well-known URLs; a `fetch` or `oauthFetch` of the host's own replaces that.
 *
 * Nothing is opened before it is used, so that a server may render the page.
 *
 * @throws CountersignError `options_invalid`
 * @example
 * ```ts
 * const connector = createConnector({ appId, userAgent: redirect({ redirectUri: `${location.origin}/callback` }) })
 * button.onclick = () => connector.connect(url).authorize()
 * // at /callback, after the page load
 * const { connection } = await connector.completeAuthorization(location.href)
 * ```
 */
export function createConnector(options: BrowserConnectorOptions): Connector {
  const { interaction = 'explicit', store = indexedDbStore(), fetch = mcpFetch } = options
  const presence =
    options.presence ?? (ofThisBrowser.has(store) ? tabPresence({ missing: () => tellMissing(options) }) : undefined)
  const send = pageFetch(options.oauthFetch)
  const oauthFetch = options.oauthFetch ? send : readable(send)
  return createCoreConnector({ ...options, interaction, store, fetch, oauthFetch, ...(presence && { presence }) })
}

/** Slower where a tab is closed at a bad moment, and no less safe: whoever runs the host may want to know. */
function tellMissing({ log, clock }: BrowserConnectorOptions): void {
  const diagnostic: Diagnostic = {
    code: 'web_locks_missing',
    url: globalThis.location?.origin ?? '',
    expected: 'navigator.locks, which tell when another tab is gone',
    received: 'none',
  }
  const at = clock?.now() ?? Date.now()
  // As everywhere: what a log throws is its own.
  const told = (async () => log?.({ type: 'diagnostic', at, level: 'warn', diagnostic }))()
  told.catch(() => undefined)
}
