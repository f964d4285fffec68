import { CountersignError } from '../errors/error.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import type { DiagnosticCode } from '../ports/log.js'
import { type StepContext, succeeded } from './context.js'
import { postForm } from './post-form.js'
import type { Target } from './target.js'

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
  const note = (code: DiagnosticCode, received: string): void =>
    context.diagnose({ code, url: url ?? target.issuer, expected: `the ${hint} revoked`, received })
  if (url === undefined) {
    note('revocation_unsupported', 'no revocation_endpoint')
    return true
  }
  try {
    const parameters = { token, token_type_hint: hint }
    const { status, text } = await postForm(context, { step: 'revoke', url, client, parameters })
    if (succeeded(status)) return true
    const { error = '' } = parseOAuthError(text) ?? {}
    const never = error === 'unsupported_token_type'
    const code = never && hint === 'access_token' ? 'access_token_not_revoked' : 'revocation_failed'
    note(code, `HTTP ${status} ${error}${never ? ': it lives until it expires' : ''}`)
    return never
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    note('revocation_failed', `${error.code} ${error.received ?? ''}`)
    return false
  }
}
