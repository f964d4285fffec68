import type { CountersignError } from '../errors/error.js'
import type { AuthorizationServerMetadata } from '../messages/authorization-server-metadata.js'
import type { BearerChallenge } from '../messages/bearer-challenge.js'
import type { Keys } from '../ports/keys.js'
import type { Proofs } from '../steps/context.js'
import type { DiscoveredResource } from '../steps/discover-resource.js'
import type { Target } from '../steps/target.js'
import type { ConnectionCore } from './connection-core.js'
import type { Grant, GrantEvent } from './grant.js'
import type { McpRequest } from './mcp-request.js'
import { dropKeyOf, dropReplacedKeys, hasKey, withKey, withKeyDuring } from './proof-keys.js'
import { proofsOf, refusalOf, refusedProof, sendBound, signingAlgorithm } from './proving.js'

/** Which tokens are bound to a key. */
export interface DpopOptions {
  /** Whether nothing but bound tokens will do. Default false: bound where the resource takes bound tokens, else bearer. */
  readonly required?: boolean
  /** Where the keys are kept, unless the connector's `keys` says. Default: `memoryKeys()`. */
  readonly keys?: Keys
}

/** What makes proofs of possession. Opaque: core's own, made by `dpop()`. */
export interface Dpop {
  readonly kind: 'dpop'
}

/** What is behind it. Functions of their own and no closures, so that two of the same options are the same. */
export interface Proving extends Dpop {
  readonly required: boolean
  readonly keys: Keys | undefined
  /**
   * What proofs are to be signed with; undefined: none are sent.
   *
   * @throws CountersignError `authorization_server_metadata_invalid` where they are demanded, and nothing that it takes is known here
   */
  algorithm(core: ConnectionCore, resource: DiscoveredResource, server: AuthorizationServerMetadata): string | undefined
  /** The target with a key of its own, where proofs are sent. */
  bind(core: ConnectionCore, target: Target): Promise<Target>
  /** Whether a key is still there. */
  has(core: ConnectionCore, key: string): Promise<boolean>
  /** Runs what gets tokens for a target, with a key of its own: should it fail, the key goes. */
  within<T>(core: ConnectionCore, target: Target, work: (bound: Target) => Promise<T>): Promise<T>
  /** Deletes the key of a target that nobody needs any more, in the background. */
  drop(core: ConnectionCore, target: Target): void
  /** As `drop`, for what an event has made nobody's: a login that was replaced or ended, and one that came too late. */
  applied(core: ConnectionCore, was: Grant, event: GrantEvent, now: Grant): void
  /** For requests to the authorization server. */
  proofs(core: ConnectionCore): Proofs
  /** Sends a request with the token that is held and a proof of its own; without both, where the key is gone. */
  send(core: ConnectionCore, request: McpRequest): Promise<Response>
  /** Whether it was the proof that was refused; `nonce`: for want of one that the answer brings. */
  refused(response: Response): 'nonce' | 'proof' | undefined
  refusal(core: ConnectionCore, url: string, challenge: BearerChallenge, headers: Headers): CountersignError
}

/**
 * Binds tokens to a key that never leaves this runtime (RFC 9449), so that a token which is stolen is of no use: every request
 * with it carries a proof, made anew. Each login has its own key.
 *
 * @param options.required - refuse servers that issue bearer tokens
 * @throws CountersignError, when it is used: `token_response_invalid` (a bearer token where bound ones are required),
 * `store_unavailable` (the key could not be kept or read)
 * @example
 * ```ts
 * createConnector({ appId, dpop: dpop() })
 * ```
 */
export const dpop = ({ required = false, keys }: DpopOptions = {}): Dpop => {
  const made: Proving = {
    kind: 'dpop',
    required,
    keys,
    algorithm: signingAlgorithm,
    bind: withKey,
    has: hasKey,
    within: withKeyDuring,
    drop: dropKeyOf,
    applied: dropReplacedKeys,
    proofs: proofsOf,
    send: sendBound,
    refused: refusedProof,
    refusal: refusalOf,
  }
  return made
}
