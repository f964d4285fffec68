import { CountersignError } from '../errors/error.js'
import { authorizationParameters, buildAuthorizationUrl } from '../messages/authorization-request.js'
import type { Client } from '../messages/client-information.js'
import { codeChallengeS256, createCodeVerifier } from '../primitives/pkce.js'
import { randomId } from '../primitives/random-id.js'
import { cannotAnswer, type StepContext } from './context.js'
import type { Target } from './target.js'

/** The word, also as part of `invalid_client`, and not as part of a script's `clientWidth`. */
const SPEAKS_OF_CLIENT = /(?<![a-z])clients?(?![a-z])/i

/**
 * Whether the authorization endpoint still knows a client: a person who is sent there with one that it has forgotten ends at
 * its error page (RFC 6749 section 4.1.2.1), and the host never hears of it. It is asked with a `state` and a challenge that
 * nobody can use. Only a refusal that speaks of the client is a no.
 */
export async function clientKnown(
  context: StepContext,
  { authorization_endpoint, pushed_authorization_request_endpoint, resource_parameter: resource, scope }: Target,
  { client_id, redirect_uri = '' }: Client,
  signal: AbortSignal,
): Promise<boolean> {
  // A server that wants its requests pushed says no to every other one, and to the pushed one by itself.
  if (authorization_endpoint === undefined || pushed_authorization_request_endpoint !== undefined) return true
  const { random, http } = context
  const code_challenge = await codeChallengeS256(createCodeVerifier(random))
  const request = { client_id, redirect_uri, state: randomId(random, 32), code_challenge, resource, scope }
  const url = buildAuthorizationUrl(authorization_endpoint, authorizationParameters(request))
  try {
    const headers = { accept: 'text/html, application/json' }
    const { status, text } = await http.send({ step: 'register', method: 'GET', url, headers, signal, redirects: 0 })
    return status < 400 || cannotAnswer(status) || !SPEAKS_OF_CLIENT.test(text)
  } catch (error) {
    // On to a page of its own is what it does with a client that it knows; a failure is the person's to see.
    if (!CountersignError.is(error) || signal.aborted) throw error
    return true
  }
}
