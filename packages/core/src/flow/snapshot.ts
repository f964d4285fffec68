import type { CountersignError } from '../errors/error.js'
import { defined } from '../primitives/defined.js'
import { renewable, tokensOf, usable } from './current-token.js'
import type { Grant } from './grant.js'

/** What a user interface shows of a connection: frozen, without secrets, the same object until something changes. */
export interface Snapshot {
  /**
   * `restoring`: the store has not answered; ends with the first subscribe or call. `consent_needed`: a person is needed, and
   * nothing is under way.
   */
  readonly status: 'restoring' | 'signed_out' | 'signing_in' | 'signed_in' | 'consent_needed' | 'failed'
  readonly refreshing: boolean
  /** Granted scope, space-separated. */
  readonly scope?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
  readonly error?: CountersignError
}

/** What the snapshot is derived from. */
export interface Known {
  readonly grant: Grant | undefined
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
  if (grant === undefined) return restoring
  const tokens = tokensOf(grant)
  const scope = tokens?.scope ?? (grant.phase === 'absent' ? undefined : grant.granted.target.scope)
  const status = statusOf(known, grant)
  return Object.freeze(defined({ status, refreshing, scope, expiresAt: tokens?.expires_at, error: failure }))
}

function statusOf({ signingIn, failure, personNeeded, now }: Known, grant: Grant): Snapshot['status'] {
  if (signingIn) return 'signing_in'
  const tokens = tokensOf(grant)
  if (tokens !== undefined && !personNeeded && (renewable(grant) || usable(tokens, now))) return 'signed_in'
  if (failure !== undefined) return 'failed'
  return tokens !== undefined || personNeeded ? 'consent_needed' : 'signed_out'
}
