import type { CountersignError } from '../errors/error.js'
import { defined } from '../primitives/defined.js'
import { targetOf, tokensOf, usable } from './current-token.js'
import type { Grant } from './grant.js'

/** What a user interface shows of a connection: frozen, without secrets, the same object until something changes. */
export interface Snapshot {
  /**
   * The first of these that is true:
   *
   * - `restoring`: the store has not answered yet; ends with the first `subscribe` or call
   * - `signing_in`: `fetch` or `authorize()` has a login under way here
   * - `signed_in`: there is an access token with life left, or a refresh token to renew it with, and no request was refused for
   *   want of a person
   * - `failed`: the last login failed, what stands in for one was refused, or the store cannot be read; `error` says how
   * - `consent_needed`: a request was refused for want of a person, or what is left of a login is no longer good
   * - `signed_out`: there is no login, and nothing has asked for one
   *
   * It follows what happens, not the clock: a token that nothing renews stays `signed_in` until a request finds it expired.
   */
  readonly status: 'restoring' | 'signed_out' | 'signing_in' | 'signed_in' | 'consent_needed' | 'failed'
  /** A refresh is under way here. */
  readonly refreshing: boolean
  /** Granted scope, space-separated; what was asked for, where the server did not say what it granted. */
  readonly scope?: string
  /** When the access token expires, in milliseconds since the epoch; absent: no token, or unknown. */
  readonly expiresAt?: number
  /**
   * How the last login failed, whatever the status, until the next one begins or succeeds, or a sign-out; or why it is not known
   * whether there is one.
   */
  readonly error?: CountersignError
}

/** What the snapshot is derived from. */
export interface Known {
  readonly grant: Grant | undefined
  /** The host brings headers instead of a login. */
  readonly headers: boolean
  /** New tokens can be had without asking a person. */
  readonly renewable: boolean
  readonly signingIn: boolean
  readonly refreshing: boolean
  /** A request was refused for want of a person. */
  readonly personNeeded: boolean
  readonly failure: CountersignError | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The snapshot before the store has answered, and on a server that renders pages. */
export const restoring: Snapshot = Object.freeze({ status: 'restoring', refreshing: false })

export function deriveSnapshot(known: Known): Snapshot {
  const { grant, failure, refreshing } = known
  const status = known.headers ? (failure ? 'failed' : 'signed_in') : statusOf(known)
  if (status === undefined) return restoring
  const tokens = tokensOf(grant)
  const scope = tokens?.scope ?? targetOf(grant)?.scope
  return Object.freeze(defined({ status, refreshing, scope, expiresAt: tokens?.expires_at, error: failure }))
}

function statusOf({ grant, signingIn, failure, personNeeded, renewable, now }: Known): Snapshot['status'] | undefined {
  if (grant === undefined) return failure && 'failed'
  if (signingIn) return 'signing_in'
  const tokens = tokensOf(grant)
  if (tokens !== undefined && !personNeeded && (renewable || usable(tokens, now))) return 'signed_in'
  if (failure !== undefined) return 'failed'
  return tokens !== undefined || personNeeded ? 'consent_needed' : 'signed_out'
}
