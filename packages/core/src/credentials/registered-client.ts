import type { Random } from '../ports/random.js'

/** Named way out of issuer pinning: use whatever issuer discovery leads to. */
export const trustDiscovered: unique symbol = Symbol('countersign.trustDiscovered')

/**
 * A secret, or a supplier that is asked each time it is needed, so that it need not be kept in memory. A supplier that fails, or
 * is silent for `requestTimeoutMs`, is `options_invalid`.
 */
export type Secret = string | (() => Promise<string>)

/** What one client assertion is made for. */
export interface AssertionNeed {
  /** The issuer of the authorization server that is to be convinced: the audience. */
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** For its `jti`. */
  readonly random: Random
}

/** Makes what authenticates one request, members of its body, anew for each. */
export type ClientAssertion = (need: AssertionNeed) => Promise<Readonly<Record<string, string>>>

/** A client that was registered by hand. It belongs to the issuer that is named beside it. */
export interface RegisteredClient {
  /** Exactly the issuer string of the authorization server, or `trustDiscovered`. */
  readonly issuer: string | typeof trustDiscovered
  /** As the authorization server gave it (RFC 6749 section 2.2). */
  readonly clientId: string
  /** Default: none, a public client. Never stored. */
  readonly clientSecret?: Secret
  /** One that authenticates by a key comes from `privateKeyJwt({ issuer, clientId, privateKey })`. */
  readonly privateKey?: never
  /**
   * Default: `none` without a secret; with one, what the server lists, `client_secret_basic` first. `privateKeyJwt()` sets its
   * own.
   */
  readonly tokenEndpointAuthMethod?: 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
  /**
   * Set by `privateKeyJwt()`: gets the key ready, before anything is under way that should not wait for it.
   *
   * @param reveal - a secret as text, from its supplier where it has one
   */
  readonly authenticate?: (reveal: (secret: Secret) => Promise<string>) => Promise<ClientAssertion>
}
