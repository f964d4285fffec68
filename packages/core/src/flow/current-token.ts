import type { Tokens } from '../messages/token-response.js'
import { jwtClaims } from '../primitives/jwt-claims.js'
import type { Target } from '../steps/target.js'
import type { Granted } from './attempt.js'
import type { Grant } from './grant.js'

const MAX_LEEWAY_MS = 60_000

/** Whether an access token has life left; one without a known expiry is used until the server refuses it. */
export const usable = (tokens: Tokens, now: number): boolean =>
  tokens.expires_at === undefined || tokens.expires_at > now

/** Whether a record has tokens of use that came after those of another one: of another login, or of a later turn. */
export const better = (now: Grant, had: Grant, at: number): boolean =>
  now.phase !== 'absent' &&
  (had.phase === 'absent' || now.grant !== had.grant || now.got > had.got) &&
  usable(now.granted.tokens, at)

/** What a sign-in handed over, if it has not been ended. */
export const grantedOf = (grant: Grant | undefined): Granted | undefined =>
  grant === undefined || grant.phase === 'absent' ? undefined : grant.granted

/** Where a grant came from and what was asked for, if it has tokens or had some that are spent. */
export const targetOf = (grant: Grant | undefined): Target | undefined => grantedOf(grant)?.target

/** The tokens of a grant, if it has any. */
export const tokensOf = (grant: Grant | undefined): Tokens | undefined => grantedOf(grant)?.tokens

/** Whether there is a refresh token that may still be sent. */
export const renewable = (grant: Grant | undefined): boolean =>
  grant?.phase === 'valid' && grant.granted.tokens.refresh_token !== undefined

/** The `exp` of a JWT (RFC 7519 section 4.1.4) in milliseconds; NaN where there is none. */
function hintedExpiry(token: string): number {
  const exp = jwtClaims(token)?.exp
  return typeof exp === 'number' ? exp * 1000 : Number.NaN
}

/**
 * From when on a token is renewed before it is used: its expiry, less the smaller of a minute and a quarter of its lifetime.
 * Where the server did not say when that is, a JWT's own `exp` is a hint: the token is still used until it is refused.
 * One that was born expired is used until the server refuses it: then the expiry is what is wrong.
 *
 * @param jitter - 0 to 1, so that processes that share a token do not all come at once
 * @returns milliseconds since the epoch; Infinity where there is nothing to go by
 */
export function renewAt(tokens: Tokens, jitter: number): number {
  const expires_at = tokens.expires_at ?? hintedExpiry(tokens.access_token)
  const lifetimeMs = expires_at - tokens.issued_at
  if (!(lifetimeMs > 0)) return Infinity
  return expires_at - Math.min(MAX_LEEWAY_MS, lifetimeMs / 4) * (1 - jitter / 5)
}
