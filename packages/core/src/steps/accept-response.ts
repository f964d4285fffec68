import { CountersignError } from '../errors/error.js'
import { checkIssuer, readAuthorizationResponse } from '../messages/authorization-response.js'
import type { PendingRedirect } from './prepare.js'
import type { Target } from './target.js'

const step = 'authorize'

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
  const url = pending.redirect_uri
  const read = readAuthorizationResponse(parameters)
  if ('invalid' in read) throw new CountersignError('authorization_response_invalid', { step, url, ...read.invalid })
  const { state, iss, error, error_description, code } = read.value
  if (state !== pending.state) {
    throw new CountersignError('state_mismatch', {
      step,
      url,
      expected: 'the state of this login',
      received: state === undefined ? 'no state' : 'another state',
    })
  }
  const mismatch = checkIssuer(iss, target)
  if (mismatch !== undefined) throw new CountersignError('issuer_mismatch', { step, url, ...mismatch })
  if (error !== undefined) {
    throw new CountersignError(error === 'access_denied' ? 'access_denied' : 'authorization_rejected', {
      step,
      url: target.authorization_endpoint,
      oauth: { error, ...(error_description !== undefined && { error_description }) },
    })
  }
  if (code === undefined) {
    throw new CountersignError('authorization_response_invalid', {
      step,
      url,
      expected: 'code or error',
      received: 'neither',
    })
  }
  if (now >= pending.expires_at) throw new CountersignError('login_timeout', { step, url: target.issuer })
  return code
}
