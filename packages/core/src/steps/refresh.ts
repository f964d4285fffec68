import type { Client } from '../messages/client-information.js'
import type { StepContext } from './context.js'
import type { Target } from './target.js'
import { type TokenAnswer, tokenRequest } from './token-request.js'

/**
 * Sends the refresh token once (RFC 6749 section 6), with the same `resource` as before (RFC 8707 section 2.2). Takes no
 * signal: once a rotating token is on its way, the answer is wanted whatever becomes of the caller.
 *
 * @param timeoutMs - how long the socket stays open for the answer
 */
export function refresh(
  context: StepContext,
  target: Target,
  client: Client,
  refresh_token: string,
  timeoutMs: number,
): Promise<TokenAnswer> {
  const parameters = { grant_type: 'refresh_token', refresh_token }
  return tokenRequest(context, { step: 'refresh', target, client, parameters, timeoutMs })
}
