import { CountersignError } from '../errors/error.js'
import type { Fetch } from '../ports/fetch.js'
import type { Json } from '../ports/json.js'
import type { TraceEntry } from '../ports/log.js'
import { authorize, beginAuthorization } from './authorize.js'
import { authorizedFetch } from './authorized-fetch.js'
import type { ConnectionCore } from './connection-core.js'
import { type Explanation, explain } from './explain.js'
import { track } from './runtime.js'
import { signOut } from './sign-out.js'
import { restoring, type Snapshot } from './snapshot.js'
import { token } from './token.js'
import type { ExchangedToken, ExchangeOptions, Exchanging } from './token-exchange.js'

/**
 * One MCP server for one account. Its members are bound: they may be passed on by themselves. In a page over http that is not on
 * loopback, what needs the store throws `insecure_context`.
 */
export interface Connection {
  /** The MCP server, with its query. */
  readonly url: string
  /** Whose login it is, in the host's own words; undefined: the only one. */
  readonly account: string | undefined
  /**
   * `fetch` with this connection's token, for any MCP client that takes one.
   *
   * Only requests to the server's own origin carry the token. A `401` is answered for: the current token, a refresh, a login
   * where `interaction` allows it, each at most once for a request. After a login that the person declined, after a code that
   * nobody entered, and after a sign-out, it opens none until `authorize()` is called. An `Authorization` header on the request
   * itself switches all of it off.
   *
   * Every answer but a `401` and a `403` with `insufficient_scope` comes as it is. So does what the runtime's `fetch` throws for
   * the request itself: a `TypeError` where the server is down, the signal's reason where the caller aborts. A caller that
   * aborts while a login or a refresh is waited for gets `request_aborted`, with the signal's reason as `cause`.
   *
   * @throws CountersignError `interaction_required`, `interaction_pending`, `credentials_rejected`, `insufficient_scope`,
   * `header_rejected`, `dpop_required`, `request_not_replayable`, `request_aborted`, `store_unavailable`, `connector_closed`; of a
   * refresh
   * `refresh_pending`, `server_unavailable`, `refresh_outcome_unknown`, `token_request_rejected` (the client was refused, the
   * login is kept), `client_authentication_unsupported`, `options_invalid`; of a login what `authorize` rejects with
   * @throws what the runtime's `fetch` throws for the request itself (in a page `cross_origin_blocked`, where it may not read the
   * answer), and what the host's `onStepUp` throws
   */
  readonly fetch: Fetch
  /**
   * Signs in. Signed in with enough scope: resolves at once. A login under way: joins it. With a user agent that navigates
   * away it never resolves in this page.
   *
   * @param options.scope - must be covered; space-separated
   * @param options.appState - JSON of at most 4 KB, handed back by `completeAuthorization`; never in a URL
   * @param options.force - a new login although one is good
   * @param options.signal - gives up waiting, and the login with it if this call opened it and nobody has joined
   * @throws CountersignError `interaction_required` (`interaction: 'never'`, or no user agent), `options_invalid`,
   * `connector_closed`, `request_aborted`, `store_unavailable`, `unexpected`; of discovery `resource_metadata_not_found`,
   * `resource_metadata_invalid`, `resource_mismatch`, `issuer_not_expected`, `issuer_mismatch`,
   * `authorization_server_metadata_not_found`, `authorization_server_metadata_invalid`, `pkce_unsupported`, `dpop_required`; of
   * becoming a client
   * `client_id_required`, `client_authentication_unsupported`, `registration_rejected`, `registration_invalid`,
   * `user_agent_unsuitable`; of the person `browser_not_opened`, `login_timeout`, `login_cancelled`, `access_denied`,
   * `authorization_rejected`, `authorization_response_invalid`, `state_mismatch`; of the tokens `token_request_rejected`,
   * `token_response_invalid`, `client_forgotten`, `login_not_found` (the answer was taken elsewhere); of any OAuth request
   * `network_error`, `cross_origin_blocked`, `request_timeout`, `server_unavailable`, `redirect_refused`, `response_too_large`,
   * `url_not_allowed`
   */
  authorize(options?: {
    readonly scope?: string
    readonly appState?: Json
    readonly force?: boolean
    readonly signal?: AbortSignal
  }): Promise<Snapshot>
  /**
   * The first half of a login whose person the host carries itself. `state` goes into the person's own session and comes back
   * to `completeAuthorization`, always. Asks nobody, and works after a sign-out too.
   *
   * @param options.redirectUri - absolute, without fragment; sent and registered as it is written
   * @param options.scope - must be covered; space-separated
   * @param options.appState - JSON of at most 4 KB, handed back by `completeAuthorization`; never in a URL
   * @returns `expiresAt` in milliseconds since the epoch
   * @throws CountersignError `interaction_required` (`interaction: 'never'`), `options_invalid`, `connector_closed`,
   * `store_unavailable`; of discovery `resource_metadata_not_found`, `resource_metadata_invalid`, `resource_mismatch`,
   * `issuer_not_expected`, `issuer_mismatch`, `authorization_server_metadata_not_found`, `authorization_server_metadata_invalid`,
   * `pkce_unsupported`, `dpop_required`; of becoming a client `client_id_required`, `client_authentication_unsupported`,
   * `registration_rejected`,
   * `registration_invalid`; of any OAuth request `network_error`, `cross_origin_blocked`, `request_timeout`,
   * `server_unavailable`, `redirect_refused`, `response_too_large`, `url_not_allowed`
   */
  beginAuthorization(options: {
    readonly redirectUri: string
    readonly scope?: string
    readonly appState?: Json
  }): Promise<{ readonly authorizationUrl: string; readonly state: string; readonly expiresAt: number }>
  /**
   * The current access token, renewed first where it is about to expire. Never opens a login. One of type `DPoP` is of use with
   * proofs alone, which `fetch` makes.
   *
   * @param options.refresh - renew it in any case
   * @param options.signal - gives up waiting; a refresh goes on
   * @throws CountersignError `interaction_required`, `refresh_pending`, `server_unavailable`, `refresh_outcome_unknown`,
   * `token_request_rejected` (the client was refused, the login is kept), `client_authentication_unsupported`,
   * `options_invalid` (the supplier of the client's secret failed), `dpop_required`, `request_aborted`, `store_unavailable`,
   * `connector_closed`
   */
  token(options?: { readonly refresh?: boolean; readonly signal?: AbortSignal }): Promise<{
    readonly accessToken: string
    readonly tokenType: 'Bearer' | 'DPoP'
    /** Milliseconds since the epoch; absent: unknown. */
    readonly expiresAt?: number
    readonly scope?: string
  }>
  /**
   * Signs out: forgets the tokens, then revokes them (RFC 7009). A login under way ends with `login_cancelled`. Afterwards only
   * `authorize()` and `beginAuthorization()` open a login. A revocation that fails is a diagnostic, and no failure.
   *
   * @param options.forgetClient - drop the dynamic registration too
   * @throws CountersignError `store_unavailable`, `connector_closed`
   */
  signOut(options?: { readonly forgetClient?: boolean }): Promise<void>
  /**
   * A down-scoped token for somebody else, a sub-agent say, for this or another resource (RFC 8693). It is not stored, and never
   * opens a login. Needs `tokenExchange: tokenExchange()`, which Node's connector has.
   *
   * @throws CountersignError `options_invalid` (no `tokenExchange`, or static credentials), `token_request_rejected`,
   * `token_response_invalid`, `request_aborted`, and what `token` rejects with
   */
  exchange(options?: ExchangeOptions): Promise<ExchangedToken>
  /** What a user interface shows: the same object until something changes. */
  getSnapshot(): Snapshot
  /** Always `restoring`: for pages that are rendered on a server. */
  getServerSnapshot(): Snapshot
  /**
   * Calls `listener` when the snapshot has changed. What it throws is dropped.
   *
   * @returns ends the subscription
   */
  subscribe(listener: () => void): () => void
  /**
   * Says where the login came from and until when it lasts. Reads the store, asks no server, opens nothing.
   *
   * @throws CountersignError `store_unavailable`, `connector_closed`
   */
  explain(): Promise<Explanation>
  /**
   * The last OAuth exchanges of this connection and the requests that were refused, oldest first, without anything secret. A
   * connector remembers 512 of all its connections together, and nothing of what was before it.
   */
  trace(): readonly TraceEntry[]
}

/** The one public Connection of a core. */
export function connectionOf(core: ConnectionCore): Connection {
  core.connection ??= Object.freeze<Connection>({
    url: core.url,
    account: core.account,
    fetch: (input, init) => authorizedFetch(core, input, init),
    authorize: (options = {}) => authorize(core, options),
    beginAuthorization: (options) => beginAuthorization(core, options),
    token: (options = {}) => token(core, options),
    signOut: async (options) => {
      core.open()
      await track(core.runtime, () => signOut(core, options?.forgetClient ?? false))
    },
    exchange: async (options = {}) => {
      core.open()
      if (core.options.tokenExchange) return (core.options.tokenExchange as Exchanging).exchange(core, options)
      throw new CountersignError('options_invalid', { step: 'connect', expected: 'tokenExchange: tokenExchange()' })
    },
    getSnapshot: () => core.status.snapshot,
    getServerSnapshot: () => restoring,
    subscribe: (listener) => {
      // A store that cannot be read is said by the next call that needs it.
      core.held.look().catch(() => undefined)
      return core.status.subscribe(listener)
    },
    explain: () => explain(core),
    trace: () => core.runtime.trace.exchanges(core),
  })
  return core.connection
}
