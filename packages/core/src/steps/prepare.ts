import { CountersignError } from '../errors/error.js'
import { authorizationParameters, buildAuthorizationUrl } from '../messages/authorization-request.js'
import type { AuthenticatingClient } from '../messages/client-authentication.js'
import { codeChallengeS256, createCodeVerifier } from '../primitives/pkce.js'
import { randomId } from '../primitives/random-id.js'
import { urlProblem } from '../primitives/url-policy.js'
import type { StepContext } from './context.js'
import { push } from './push.js'
import type { Target } from './target.js'

/** An authorization request that waits for its response: all that the second half of a login needs. */
export interface PendingRedirect {
  readonly kind: 'redirect'
  readonly state: string
  readonly code_verifier: string
  readonly redirect_uri: string
  readonly authorization_url: string
  /** Milliseconds since the epoch. */
  readonly expires_at: number
}

export interface PrepareOptions {
  readonly serverUrl: string
  readonly lifetimeMs: number
  /** What the host set for this server. */
  readonly options: {
    readonly loginHint?: string
    readonly allowPrivate?: readonly string[]
    readonly compatibility?: { readonly authorizationParameters?: Readonly<Record<string, string>> }
  }
}

/**
 * Builds the authorization request: PKCE with S256 (RFC 7636), a fresh `state`, the `resource` (RFC 8707), and the thumbprint of
 * the key that the tokens will be bound to, if there is one (RFC 9449). It is pushed where the server requires that (RFC 9126).
 *
 * @returns undefined when the server no longer knows a client that it had registered
 * @throws CountersignError `url_not_allowed` when the authorization endpoint is not one that a person may be sent to, and what
 * pushing throws
 */
export async function prepareRedirect(
  context: StepContext,
  target: Target,
  client: AuthenticatingClient,
  { serverUrl, lifetimeMs, options }: PrepareOptions,
): Promise<PendingRedirect | undefined> {
  const { issuer, authorization_endpoint, pushed_authorization_request_endpoint, resource_parameter, scope, dpop_jkt } =
    target
  const { allowPrivate, loginHint: login_hint, compatibility } = options
  const received = urlProblem(authorization_endpoint ?? '', { from: serverUrl, allowPrivate })
  if (authorization_endpoint === undefined || received !== undefined) {
    throw new CountersignError('url_not_allowed', {
      step: 'prepare',
      url: authorization_endpoint ?? issuer,
      expected: 'authorization_endpoint',
      received,
    })
  }
  const { client_id, redirect_uri = '' } = client
  const state = randomId(context.random, 32)
  const code_verifier = createCodeVerifier(context.random)
  let parameters = authorizationParameters({
    client_id,
    redirect_uri,
    state,
    code_challenge: await codeChallengeS256(code_verifier),
    resource: resource_parameter,
    scope,
    login_hint,
    dpop_jkt,
    parameters: compatibility?.authorizationParameters,
  })
  if (pushed_authorization_request_endpoint !== undefined) {
    const request_uri = await push(context, pushed_authorization_request_endpoint, client, parameters)
    if (request_uri === undefined) return undefined
    parameters = { client_id, request_uri }
  }
  const authorization_url = buildAuthorizationUrl(authorization_endpoint, parameters)
  const expires_at = context.clock.now() + lifetimeMs
  return { kind: 'redirect', state, code_verifier, redirect_uri, authorization_url, expires_at }
}
