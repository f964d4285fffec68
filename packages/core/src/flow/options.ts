import type { RegisteredClient, Secret } from '../credentials/registered-client.js'
import { CountersignError } from '../errors/error.js'
import type { Audit } from '../ports/audit.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { Keys } from '../ports/keys.js'
import type { Log } from '../ports/log.js'
import type { Presence } from '../ports/presence.js'
import type { Random } from '../ports/random.js'
import type { Store } from '../ports/store.js'
import type { UserAgent } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { parseUrl } from '../primitives/parse-url.js'
import type { Credentials } from './credentials.js'
import type { Dpop } from './dpop.js'
import type { TokenExchange } from './token-exchange.js'

/** How this host becomes a client. Tried in this order, then dynamic registration (RFC 7591). */
export interface ClientOptions {
  /** One for each issuer; the one that names the issuer comes before one with `trustDiscovered`. Default: none. */
  readonly registered?: RegisteredClient | readonly RegisteredClient[]
  /**
   * The https URL of this client's metadata document, which is its `client_id` where the server takes such documents
   * (OAuth Client ID Metadata Document). Its `redirect_uris` must cover the ones that are used. Default: none.
   */
  readonly metadataUrl?: string
  /** Whether to register dynamically where the server offers it. Default true. */
  readonly dynamic?: boolean
  /**
   * Asks a person for a client, where there is no other way to one: the server registers nobody, or refused. Waited for as long as
   * a login is. The host keeps what it was told: where a secret belongs to it, another process asks again. Default: none.
   *
   * @param need.redirectUri - with which the client has to be registered; empty for the device grant, which has none
   * @returns undefined where the person has none
   */
  readonly ask?: (need: ClientNeed) => Promise<RegisteredClient | undefined>
}

/** A client that is wanted, and for whom. */
export interface ClientNeed {
  /** The MCP server. */
  readonly url: string
  /** The authorization server, as its metadata calls itself: the client belongs to it. */
  readonly issuer: string
  /** With which the client has to be registered; empty for the device grant, which has none. */
  readonly redirectUri: string
}

/** Narrow exceptions for one server that deviates; none by default. The error that a deviation causes names the exception. */
export interface Compatibility {
  /** What is sent as `resource` (RFC 8707): nothing, or this value instead of the metadata's. */
  readonly resource?: { readonly omit: true } | { readonly value: string }
  /** Accept this document issuer where the resource lists that one. */
  readonly trustIssuer?: { readonly listed: string; readonly document: string }
  /** Accept metadata without `code_challenge_methods_supported`; S256 is used all the same. */
  readonly assumePkceS256?: true
  /** Endpoints to use instead of the metadata's, each an absolute URL. */
  readonly endpoints?: {
    readonly authorization?: string
    readonly token?: string
    readonly registration?: string
    readonly revocation?: string
    readonly deviceAuthorization?: string
  }
  /** Further parameters of the authorization request; they never replace those that are sent anyway. */
  readonly authorizationParameters?: Readonly<Record<string, string>>
  /** Host of the loopback redirect URI. Default `127.0.0.1` (RFC 8252 section 7.3). */
  readonly redirectHost?: 'localhost' | '127.0.0.1' | '[::1]'
  /** Port of the loopback redirect URI, 1 to 65 535. Default: the first free one of the user agent's own. */
  readonly redirectPort?: number
  /** Token for a registration endpoint that asks for one (RFC 7591 section 3). Sent there alone. */
  readonly initialAccessToken?: Secret
}

/**
 * What may be set for one server, on the connector, in `servers` or in `connect`. The narrower place wins, member by member: its
 * `client` or `compatibility` replaces the wider one whole.
 */
export interface ServerOptions {
  /**
   * Whether `fetch` opens a login by itself (`on-demand`), only `authorize()` and `beginAuthorization()` do (`explicit`), or
   * nothing does (`never`).
   * Default: `on-demand` where the user agent is one that may (`loopback()`, `deviceCode()`, `paste()`) and no `account` is given,
   * else `explicit`.
   */
  readonly interaction?: 'on-demand' | 'explicit' | 'never'
  /** Default: a dynamic registration. */
  readonly client?: ClientOptions
  /**
   * A way without a person: `clientCredentials()`, `workloadIdentity()`, `enterpriseManaged()`, `staticToken()`,
   * `staticHeaders()`. `userAgent`, `client` and `interaction` have no part in it. Default: a person signs in.
   */
  readonly credentials?: Credentials
  /** `tokenExchange()`, for `connection.exchange()`. Default: none; in Node it is there. */
  readonly tokenExchange?: TokenExchange
  /**
   * Pins the scope, space-separated (RFC 6749 section 3.3): only `authorize({ scope })` and `beginAuthorization({ scope })` add to
   * it, and no request steps up. Default: the challenge's, else the resource's `scopes_supported`, else none.
   */
  readonly scope?: string
  /** Ask for `offline_access` where the server lists it. Default true. */
  readonly offlineAccess?: boolean
  /** Who is expected to sign in, sent as `login_hint` (OpenID Connect Core section 3.1.2.1). Default: not sent. */
  readonly loginHint?: string
  /**
   * `dpop()`: tokens are bound to a key where the resource takes such tokens (RFC 9449), or with `dpop({ required: true })` in any
   * case. `false`: none, for a server that offers bound tokens and handles them badly. Default: none, and a server that takes none
   * but bound tokens is `dpop_required`; in Node `dpop()`.
   */
  readonly dpop?: Dpop | false
  /** Issuers that discovery may lead to, compared as they are written. Default: any. */
  readonly allowedIssuers?: readonly string[]
  /**
   * Hosts that OAuth may reach at a private or loopback address although the MCP server is public: names or literal addresses,
   * without port. Default: none.
   */
  readonly allowPrivate?: readonly string[]
  /** Exceptions for a server that deviates. Default: none. */
  readonly compatibility?: Compatibility
  /**
   * Asked before a page is opened because a request needs more scope. Default: allowed where `interaction` allows a login. A
   * refusal is remembered until `authorize()`.
   *
   * @param request.scope - all that would be asked for, `request.added` what is new in it
   */
  readonly onStepUp?: (request: StepUp) => boolean | Promise<boolean>
}

/** A request for more scope than the grant was asked for. */
export interface StepUp {
  /** The MCP server. */
  readonly url: string
  /** Space-separated: what was asked for so far, and what the server's challenge adds. */
  readonly scope: string
  /** What of it was never asked for. */
  readonly added: readonly string[]
}

/** What a connector is made of. */
export interface ConnectorOptions extends ServerOptions {
  /** Prefixes every key in the store, so that two applications can share one. Default: `countersign`; Node and browser require it. */
  readonly appId?: string
  /**
   * What a consent page shows of this client (RFC 7591 section 2). It goes into a dynamic registration and nowhere else; a client
   * that is registered already keeps what it had. Default: none.
   */
  readonly clientName?: string
  /** URL of a page about this client, as `clientName`. Default: none. */
  readonly clientUri?: string
  /** URL of this client's logo, as `clientName`. Default: none. */
  readonly logoUri?: string
  /** Where logins, registrations and metadata are kept. Default: `memoryStore()`, which ends with the process; not in Node. */
  readonly store?: Store
  /** Where the keys of `dpop()` are kept. Default: `memoryKeys()`, which ends with the process; in Node the store has them. */
  readonly keys?: Keys
  /**
   * How a person is reached. Default: none, so only `beginAuthorization` can start a login; in Node a browser, or where none opens
   * a code or a prompt at the terminal.
   */
  readonly userAgent?: UserAgent
  /** What single servers need, by URL. Here and not in `connect` when another process must know it too. Default: nothing. */
  readonly servers?: Readonly<Record<string, ServerOptions>> | ((url: string) => ServerOptions | undefined)
  /** For MCP requests. Default: the runtime's `fetch`. */
  readonly fetch?: Fetch
  /**
   * For discovery, registration and tokens: through a backend of the host's, say. A `CountersignError` that it throws is passed on;
   * anything else is `network_error`. Default: the runtime's `fetch`.
   */
  readonly oauthFetch?: Fetch
  /**
   * How long one OAuth request may take, in milliseconds. A refresh gets three times that, because its answer must not be lost; a
   * request that needs its token waits one and a half times that. Default 30 000.
   */
  readonly requestTimeoutMs?: number
  /**
   * How long a person may take, in milliseconds, from the page to the answer. Default 600 000; for a code that is entered elsewhere
   * 900 000, unless the server says less.
   */
  readonly loginTimeoutMs?: number
  /** How long `fetch` waits for a person, in milliseconds. Default 45 000: MCP SDK clients give up on `initialize` after 60 s. */
  readonly interactionWaitMs?: number
  /** Is told what happens, without secrets. Not waited for, and what it throws is dropped. Default: none. */
  readonly log?: Log
  /**
   * Is told each request that was sent with a token: once, when its answer is there, and however often it had to be sent. Not
   * waited for, and what it throws is dropped. Requests with a header of the host's own, and to other origins, are not told.
   * Default: none.
   */
  readonly audit?: Audit
  /** Refuse even what is tolerated with a diagnostic. Default false. */
  readonly strict?: boolean
  /**
   * Whether the process that holds a lease is still there. Default: none, so that a refresh whose holder died is waited for, three
   * times `requestTimeoutMs`; in Node `nodePresence()`.
   */
  readonly presence?: Presence
  /** Default: the runtime's clock and timers. */
  readonly clock?: Clock
  /** Default: `crypto.getRandomValues`. */
  readonly random?: Random
}

/** The options of one connection, from the widest place to the narrowest. */
export function serverOptions(connector: ConnectorOptions, url: string, own: ServerOptions): ServerOptions {
  const { servers } = connector
  const listed =
    typeof servers === 'function'
      ? servers(url)
      : Object.entries(servers ?? {}).find(([listedUrl]) => normaliseServerUrl(listedUrl, 'servers') === url)?.[1]
  return { ...connector, ...defined(listed ?? {}), ...defined(own) }
}

/**
 * The URL of an MCP server as its key: fragment dropped, query kept.
 *
 * @param what - the option it comes from, for the error
 * @throws CountersignError `options_invalid`
 */
export function normaliseServerUrl(url: string | URL, what: string = 'url'): string {
  const parsed = parseUrl(String(url))
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new CountersignError('options_invalid', {
      step: 'connect',
      url: String(url),
      expected: `${what}: an http(s) URL without user information`,
    })
  }
  parsed.hash = ''
  return parsed.href
}

/** The names of the options that differ; functions by identity, the rest by value. */
export const differences = (a: ServerOptions, b: ServerOptions): readonly string[] =>
  membersOf(a, b).filter((member) => !same(Reflect.get(a, member), Reflect.get(b, member)))

const membersOf = (a: object, b: object): readonly string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])]

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return membersOf(a, b).every((member) => same(Reflect.get(a, member), Reflect.get(b, member)))
}
