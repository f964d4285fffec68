import {
  type Connector,
  type ConnectorOptions,
  createConnector as createCoreConnector,
  memoryStore,
} from '@countersign/core'

/** A connector in a page: as core's, but `appId` is required. */
export interface BrowserConnectorOptions extends ConnectorOptions {
  /** Prefixes every key in the store, so that two applications can share one: `com.example.app`, say. */
  readonly appId: string
}

/**
 * Creates a connector with a browser's defaults: `interaction: 'explicit'`, so that only `authorize()` takes the person away
 * from what they do, and records in this page's memory. No user agent is chosen: pass `redirect({ redirectUri })`.
 *
 * Memory ends with the page, and a full-page redirect ends the page: with `redirect` a `store` is needed that outlives it,
 * or the page that the person comes back to answers `login_not_found`. Web storage in plain text is no such store, because
 * every script of the origin reads it.
 *
 * @throws CountersignError `options_invalid`
 * @example
 * ```ts
 * const connector = createConnector({ appId, store, userAgent: redirect({ redirectUri: `${location.origin}/callback` }) })
 * button.onclick = () => connector.connect(url).authorize()
 * // at /callback, after the page load
 * const { connection } = await connector.completeAuthorization(location.href)
 * ```
 */
export function createConnector(options: BrowserConnectorOptions): Connector {
  return createCoreConnector({
    ...options,
    interaction: options.interaction ?? 'explicit',
    store: options.store ?? memoryStore(),
  })
}
