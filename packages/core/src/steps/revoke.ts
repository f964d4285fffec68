import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { type StepContext, succeeded } from './context.js'
import { postForm } from './post-form.js'
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
  try {
    const parameters = { token, token_type_hint: hint }
    const response = await postForm(context, { step, url, client, parameters })
    if (succeeded(response.status)) return true
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
    context.diagnose({ code: 'revocation_failed', url, expected, received: `${error.code} ${error.received ?? ''}` })
    return false
  }
}
