import { CountersignError } from '../errors/error.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import { parseDeviceAuthorization } from '../messages/device-authorization.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { defined } from '../primitives/defined.js'
import { randomId } from '../primitives/random-id.js'
import { urlProblem } from '../primitives/url-policy.js'
import { accept, cannotAnswer, type StepContext, succeeded, unavailable } from './context.js'
import { postForm } from './post-form.js'
import type { Target } from './target.js'
import { forgets } from './token-request.js'

/** A device authorization (RFC 8628 section 3.2) that is being polled: all that any process needs to go on with it. */
export interface PendingDevice {
  readonly kind: 'device'
  /** What its record is found by; random, and never sent. */
  readonly id: string
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete?: string
  /** Seconds. */
  readonly interval: number
  /** Milliseconds since the epoch. */
  readonly expires_at: number
}

export interface AuthorizeDeviceOptions {
  readonly serverUrl: string
  readonly allowPrivate: readonly string[] | undefined
  /** How long a login may take at most, whatever the server says. */
  readonly lifetimeMs: number
}

const step = 'prepare'
const refusal = 'authorization_rejected'

/**
 * Asks for a device code and the code that the person enters (RFC 8628 section 3.1), for this `resource` (RFC 8707).
 *
 * @returns undefined when the server no longer knows a client that it had registered
 * @throws CountersignError `authorization_rejected`, `server_unavailable`, `client_authentication_unsupported`, `url_not_allowed`
 * when the person may not be sent to where the code is entered, and what the door throws
 */
export async function authorizeDevice(
  context: StepContext,
  target: Target,
  client: AuthenticatingClient,
  { serverUrl, allowPrivate, lifetimeMs }: AuthorizeDeviceOptions,
): Promise<PendingDevice | undefined> {
  const { issuer, device_authorization_endpoint: url, resource_parameter: resource, scope } = target
  if (url === undefined) {
    const evidence = { step, url: issuer, expected: 'device_authorization_endpoint', received: 'none' }
    throw new CountersignError('user_agent_unsuitable', evidence)
  }
  const answer = await postForm(context, { step, url, client, parameters: { scope, resource } })
  const { status, text, secrets } = answer
  if (cannotAnswer(status)) throw unavailable(context, step, answer)
  const oauth = parseOAuthError(text, secrets)
  if (forgets(client, oauth)) return undefined
  // Some servers answer 200 with an error in it.
  if (oauth || !succeeded(status)) throw new CountersignError(refusal, { step, url, received: `HTTP ${status}`, oauth })

  const seen = { step, url, refusal } as const
  const said = accept(context, seen, parseDeviceAuthorization(text))
  const { device_code, user_code, verification_uri, verification_uri_complete, interval, expires_in = Infinity } = said
  const problem = (uri: string): string | undefined =>
    // A page for a person may have a fragment.
    urlProblem(uri.replace(/#.*$/s, ''), { from: serverUrl, allowPrivate })
  const received = problem(verification_uri)
  if (received !== undefined) {
    throw new CountersignError('url_not_allowed', {
      step,
      url: verification_uri,
      expected: 'verification_uri',
      received,
    })
  }
  const complete = verification_uri_complete !== undefined && problem(verification_uri_complete) === undefined
  return defined({
    kind: 'device' as const,
    id: randomId(context.random),
    device_code,
    user_code,
    // As a parser writes them: a space, or a character that no terminal shows, is nothing that a person could be given.
    verification_uri: new URL(verification_uri).href,
    verification_uri_complete: complete ? new URL(verification_uri_complete).href : undefined,
    interval,
    expires_at: context.clock.now() + Math.min(expires_in * 1000, lifetimeMs),
  })
}
