import type { Client } from '../messages/client-information.js'
import { type Tokens, toTokens } from '../messages/token-response.js'
import type { StepContext } from './context.js'
import type { PendingRedirect } from './prepare.js'
import type { Target } from './target.js'
import { tokenRequest } from './token-request.js'

/**
 * Exchanges the authorization code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5, RFC 8707 section 2.2). A code
 * is single use: this is never retried.
 *
 * @returns the tokens, or `'client_forgotten'` when the server no longer knows a client that it had registered
 * @throws CountersignError `token_request_rejected`, `token_response_invalid`, `server_unavailable`, and what the door throws
 */
export async function exchange(
  context: StepContext,
  target: Target,
  client: Client,
  pending: PendingRedirect,
  code: string,
): Promise<Tokens | 'client_forgotten'> {
  const { redirect_uri, code_verifier } = pending
  const parameters = { grant_type: 'authorization_code', code, redirect_uri, code_verifier }
  const answer = await tokenRequest(context, { step: 'exchange', target, client, parameters })
  if (answer.kind === 'tokens') return toTokens(answer.response)
  if (answer.kind === 'rejected' && answer.forgotten) return 'client_forgotten'
  throw answer.error
}
