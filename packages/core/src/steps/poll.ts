import { CountersignError } from '../errors/error.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import { DEVICE_CODE } from '../messages/device-authorization.js'
import { type Tokens, toTokens } from '../messages/token-response.js'
import type { PendingDevice } from './authorize-device.js'
import { notNow, type StepContext } from './context.js'
import type { Target } from './target.js'
import { tokenRequest } from './token-request.js'

/** What one poll came to. An error: nobody knows, and the next poll may tell. */
export type Polled = Tokens | 'authorization_pending' | 'slow_down' | 'client_forgotten' | CountersignError

const step = 'poll'
/** Deployments answer these with statuses of their own: 428, 403, 429. */
const OWN_ERRORS = /^(authorization_pending|slow_down|access_denied|expired_token)$/

/** The error for a code that nobody entered in time. */
export const codeExpired = ({ token_endpoint: url }: Target, received: string): CountersignError =>
  new CountersignError('login_timeout', {
    step,
    url,
    expected: 'the code to be entered and approved in time',
    received,
    hint: 'Sign in again, which gives a new code.',
  })

/**
 * Asks once whether the person has approved (RFC 8628 sections 3.4 and 3.5).
 *
 * @throws CountersignError `access_denied`, `login_timeout` (the code has expired), `token_request_rejected`,
 * `token_response_invalid`, and what the door throws but for what may pass
 */
export async function poll(
  context: StepContext,
  target: Target,
  client: AuthenticatingClient,
  { device_code }: PendingDevice,
): Promise<Polled> {
  const parameters = { grant_type: DEVICE_CODE, device_code }
  const answer = await tokenRequest(context, { step, target, client, parameters, ownErrors: OWN_ERRORS })
  if (answer.kind === 'tokens') return toTokens(answer.response)
  const { error } = answer
  if (answer.kind !== 'rejected') {
    if (answer.kind === 'deferred' || notNow(error)) return error
    throw error
  }
  const { oauth, forgotten } = answer
  switch (oauth.error) {
    case 'authorization_pending':
    case 'slow_down':
      return oauth.error
    case 'access_denied':
      throw new CountersignError('access_denied', { step, url: target.token_endpoint, oauth })
    case 'expired_token':
      throw codeExpired(target, oauth.error)
  }
  if (forgotten) return 'client_forgotten'
  throw error
}
