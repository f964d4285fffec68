import { CountersignError } from '../errors/error.js'
import { buildAuthorizationUrl } from '../messages/authorization-request.js'
import type { Client } from '../messages/client-information.js'
import { codeChallengeS256, createCodeVerifier } from '../primitives/pkce.js'
import { randomId } from '../primitives/random-id.js'
import { urlProblem } from '../primitives/url-policy.js'
import type { StepContext } from './context.js'
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
 * Builds the authorization request: PKCE with S256 (RFC 7636), a fresh `state`, and the `resource` (RFC 8707).
 *
 * @throws CountersignError `url_not_allowed` when the authorization endpoint is not one that a person may be sent to
 */
export async function prepareRedirect(
  context: StepContext,
  target: Target,
  client: Client,
  { serverUrl, lifetimeMs, options }: PrepareOptions,
): Promise<PendingRedirect> {
  const endpoint = target.authorization_endpoint
  const problem =
    endpoint === undefined
      ? 'no authorization_endpoint in the metadata'
      : urlProblem(endpoint, { from: serverUrl, allowPrivate: options.allowPrivate })
  if (endpoint === undefined || problem !== undefined) {
    throw new CountersignError('url_not_allowed', {
      step: 'prepare',
      url: endpoint ?? target.issuer,
      received: problem,
    })
  }
  const redirect_uri = client.redirect_uri ?? ''
  const state = randomId(context.random, 32)
  const code_verifier = createCodeVerifier(context.random)
  return {
    kind: 'redirect',
    state,
    code_verifier,
    redirect_uri,
    authorization_url: buildAuthorizationUrl({
      authorization_endpoint: endpoint,
      client_id: client.client_id,
      redirect_uri,
      state,
      code_challenge: await codeChallengeS256(code_verifier),
      resource: target.resource_parameter,
      scope: target.scope,
      login_hint: options.loginHint,
      parameters: options.compatibility?.authorizationParameters,
    }),
    expires_at: context.clock.now() + lifetimeMs,
  }
}
