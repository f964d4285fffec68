import { CountersignError } from '../errors/error.js'
import { applyClientAuthentication } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import type { StepContext } from './context.js'
import type { Target } from './target.js'

const step = 'revoke'

/**
 * Revokes one token where it came from (RFC 7009). A server that cannot is no reason to keep a person signed in, so every
 * failure is a diagnostic.
 *
 * @returns whether the server confirmed it, or will never be able to: then there is nothing left to try again
 */
export async function revoke(
  context: StepContext,
  target: Target,
  client: Client,
  token: string,
  hint: 'refresh_token' | 'access_token',
): Promise<boolean> {
  const url = target.revocation_endpoint
  const expected = `the ${hint} revoked`
  if (url === undefined) {
    context.diagnose({
      code: 'revocation_unsupported',
      url: target.issuer,
      expected: 'revocation_endpoint',
      received: `none: the ${hint} lives until it expires`,
    })
    return true
  }
  const body = new URLSearchParams({ token, token_type_hint: hint })
  const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' })
  if (!applyClientAuthentication(client, headers, body)) {
    const received = `client authentication ${client.token_endpoint_auth_method}`
    context.diagnose({ code: 'revocation_failed', url, expected, received })
    return false
  }
  try {
    const response = await context.http.send({ step, method: 'POST', url, headers, body: body.toString() })
    if (response.status >= 200 && response.status < 300) return true
    const error = parseOAuthError(response.text)?.error
    const never = error === 'unsupported_token_type'
    context.diagnose({
      code: never && hint === 'access_token' ? 'access_token_not_revoked' : 'revocation_failed',
      url,
      expected,
      received: `HTTP ${response.status}${error === undefined ? '' : ` ${error}`}${never ? ': it lives until it expires' : ''}`,
    })
    return never
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    context.diagnose({ code: 'revocation_failed', url, expected, received: error.received ?? error.code })
    return false
  }
}
