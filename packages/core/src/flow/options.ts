import { CountersignError } from '../errors/error.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'
import type { Log } from '../ports/log.js'
import type { Presence } from '../ports/presence.js'
import type { Random } from '../ports/random.js'
import type { Store } from '../ports/store.js'
import type { UserAgent } from '../ports/user-agent.js'
import { defined } from '../primitives/defined.js'
import { parseUrl } from '../primitives/parse-url.js'

/** Named way out of issuer pinning: use whatever issuer discovery leads to. */
export const trustDiscovered: unique symbol = Symbol('countersign.trustDiscovered')

/** A secret, or a supplier that is asked when it is needed, so that it need not be kept in memory. */
export type Secret = string | (() => Promise<string>)

/** A client that was registered by hand. It belongs to the issuer that is named beside it. */
export interface RegisteredClient {
  /** Exactly the issuer string of the authorization server, or `trustDiscovered`. */
  readonly issuer: string | typeof trustDiscovered
  readonly clientId: string
  readonly clientSecret?: Secret
  /** Default: `none` without a secret; with one, what the server lists, `client_secret_basic` first. */
  readonly tokenEndpointAuthMethod?: 'none' | 'client_secret_basic' | 'client_secret_post'
}

/** How this host becomes a client. Tried in this order, then dynamic registration (RFC 7591). */
export interface ClientOptions {
  readonly registered?: RegisteredClient | readonly RegisteredClient[]
  /**
   * The https URL of this client's metadata document, which is its `client_id` where the server takes such documents
   * (OAuth Client ID Metadata Document). Its `redirect_uris` must cover the ones that are used.
   */
  readonly metadataUrl?: string
  /** Default true: register dynamically where the server offers it. */
  readonly dynamic?: boolean
}

/** Narrow exceptions for one server that deviates. The error that a deviation causes names the exception. */
export interface Compatibility {
  /** What is sent as `resource` (RFC 8707): nothing, or this value instead of the metadata's. */
  readonly resource?: { readonly omit: true } | { readonly value: string }
  /** Accept this document issuer where the resource lists that one. */
  readonly trustIssuer?: { readonly listed: string; readonly document: string }
  /** Accept metadata without `code_challenge_methods_supported`; S256 is used all the same. */
  readonly assumePkceS256?: true
  /** Endpoints to use instead of the metadata's. */
  readonly endpoints?: {
    readonly authorization?: string
    readonly token?: string
    readonly registration?: string
    readonly revocation?: string
  }
  /** Further parameters of the authorization request; they never replace the protocol's own. */
  readonly authorizationParameters?: Readonly<Record<string, string>>
  /** Host of the loopback redirect URI. Default `127.0.0.1` (RFC 8252 section 7.3). */
  readonly redirectHost?: 'localhost' | '127.0.0.1' | '[::1]'
  readonly redirectPort?: number
  /** Token for a registration endpoint that asks for one (RFC 7591 section 3). */
  readonly initialAccessToken?: Secret
}

/** What may be set for one server, on the connector, in `servers` or in `connect`; the narrower place wins, member by member. */
export interface ServerOptions {
  /**
   * Whether `fetch` opens a login by itself (`on-demand`), only `authorize()` does (`explicit`), or nothing does (`never`).
   * Default: `on-demand` where the package's own user agent is used and no `account` is given, else `explicit`.
   */
  readonly interaction?: 'on-demand' | 'explicit' | 'never'
  readonly client?: ClientOptions
  /** Pins the scope; otherwise the challenge's, then `scopes_supported`, then none. Space-separated (RFC 6749 section 3.3). */
  readonly scope?: string
  /** Ask for `offline_access` where the server lists it. Default true. */
  readonly offlineAccess?: boolean
  readonly loginHint?: string
  /** Issuers that discovery may lead to; any by default. */
  readonly allowedIssuers?: readonly string[]
  /** Hosts that may be at a private address although the MCP server is public. */
  readonly allowPrivate?: readonly string[]
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
  readonly url: string
  /** Space-separated: what was asked for so far, and what the server's challenge adds. */
  readonly scope: string
  readonly added: readonly string[]
}

/** What a connector is made of. Everything has a default but what its docstring says. */
export interface ConnectorOptions extends ServerOptions {
  /** Whose logins these are: prefixes every key. Required by the Node and browser packages, whose stores outlive the process. */
  readonly appId?: string
  /** Shown on the consent page. */
  readonly clientName?: string
  readonly clientUri?: string
  readonly logoUri?: string
  /** Default: `memoryStore()`. */
  readonly store?: Store
  /** Default: none, so only `beginAuthorization` can start a login. */
  readonly userAgent?: UserAgent
  /** What single servers need, by URL. Here and not in `connect` when another process must know it too. */
  readonly servers?: Readonly<Record<string, ServerOptions>> | ((url: string) => ServerOptions | undefined)
  /** For MCP requests. Default: the runtime's `fetch`. */
  readonly fetch?: Fetch
  /** For discovery, registration and tokens. Default: the runtime's `fetch`. */
  readonly oauthFetch?: Fetch
  /** How long one OAuth request may take. Default 30 000. */
  readonly requestTimeoutMs?: number
  /** How long a person may take. Default 600 000. */
  readonly loginTimeoutMs?: number
  /** How long `fetch` waits for a person. Default 45 000: MCP SDK clients give up on `initialize` after 60 s. */
  readonly interactionWaitMs?: number
  readonly log?: Log
  /** Refuse even what is tolerated with a diagnostic. Default false. */
  readonly strict?: boolean
  readonly presence?: Presence
  readonly clock?: Clock
  readonly random?: Random
}

/** The options of one connection, from the widest place to the narrowest. */
export function serverOptions(connector: ConnectorOptions, url: string, own: ServerOptions): ServerOptions {
  const { servers } = connector
  const listed =
    typeof servers === 'function'
      ? servers(url)
      : Object.entries(servers ?? {}).find(([listedUrl]) => normaliseServerUrl(listedUrl) === url)?.[1]
  return { ...connector, ...defined(listed ?? {}), ...defined(own) }
}

/**
 * The URL of an MCP server as its key: fragment dropped, query kept.
 *
 * @throws CountersignError `options_invalid`
 */
export function normaliseServerUrl(url: string | URL): string {
  const parsed = parseUrl(String(url))
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new CountersignError('options_invalid', {
      step: 'connect',
      url: String(url),
      expected: 'an http(s) URL without user information',
    })
  }
  parsed.hash = ''
  return parsed.href
}

/** Whether two option values are the same: functions by identity, the rest by value. */
export function sameOptions(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => sameOptions(Reflect.get(a, key), Reflect.get(b, key)))
}
