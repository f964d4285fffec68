import type { ErrorCode } from '../errors/codes.js'
import { CountersignError, type Failure } from '../errors/error.js'
import { checkIssuer, readAuthorizationResponse } from '../messages/authorization-response.js'
import { defined } from '../primitives/defined.js'
import type { PendingRedirect } from './prepare.js'
import type { Target } from './target.js'

/**
 * Accepts the authorization response of a login. `state` and `iss` come first: until both have passed, nothing that the
 * response says is believed or shown (RFC 6749 section 10.12, RFC 9207 section 2.4).
 *
 * @returns the authorization code
 * @throws CountersignError `state_mismatch`, `issuer_mismatch`, `access_denied`, `authorization_rejected`,
 * `authorization_response_invalid`, `login_timeout` (it came too late)
 */
export function acceptAuthorizationResponse(
  parameters: URLSearchParams,
  pending: PendingRedirect,
  target: Target,
  now: number,
): string {
  const fail = (code: ErrorCode, evidence: Partial<Failure>): CountersignError =>
    new CountersignError(code, { step: 'authorize', url: pending.redirect_uri, ...evidence })
  const read = readAuthorizationResponse(parameters)
  if ('invalid' in read) throw fail('authorization_response_invalid', read.invalid)
  const { state, iss, error, error_description, code } = read.value
  if (state !== pending.state) {
    const received = state === undefined ? 'no state' : 'another state'
    throw fail('state_mismatch', { expected: 'the state of this login', received })
  }
  const mismatch = checkIssuer(iss, target)
  if (mismatch !== undefined) throw fail('issuer_mismatch', mismatch)
  if (error !== undefined) {
    throw fail(error === 'access_denied' ? error : 'authorization_rejected', {
      url: target.authorization_endpoint,
      oauth: { error, ...defined({ error_description }) },
    })
  }
  if (code === undefined)
    throw fail('authorization_response_invalid', { expected: 'code or error', received: 'neither' })
  if (now >= pending.expires_at) throw fail('login_timeout', { url: target.issuer })
  return code
}
