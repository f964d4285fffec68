import { CountersignError } from '../errors/error.js'
import { withoutSecrets } from '../errors/text.js'
import { chooseAuthMethod } from '../messages/client-authentication.js'
import { type Client, type ClientInformation, parseClientInformation } from '../messages/client-information.js'
import { applicationType, buildClientMetadata, type ClientMetadataInput } from '../messages/client-metadata.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { defined } from '../primitives/defined.js'
import {
  accept,
  cannotAnswer,
  refuse,
  type Seen,
  type StepContext,
  succeeded,
  tolerate,
  unavailable,
} from './context.js'
import type { Target } from './target.js'

const step = 'register'

/** What is registered, and where. */
export interface Registration {
  /** Undefined where the server has none, or the host wants none used. */
  readonly endpoint: string | undefined
  readonly initialAccessToken: string | undefined
  /** The redirect URI of this login, one of those that are registered; none where nobody is redirected. */
  readonly redirect_uri: string | undefined
  /** How tokens are had at first. */
  readonly grantType: string
  readonly metadata: Pick<ClientMetadataInput, 'client_name' | 'client_uri' | 'logo_uri' | 'redirect_uris' | 'scope'>
}

/** A client, and the redirect URIs that it was registered with. */
export interface Registered {
  readonly client: Client
  readonly redirect_uris: readonly string[]
}

/** What says that it was the redirect URIs or their `application_type` (RFC 7591 section 3.2.2). */
const ADJUSTABLE = /^invalid_(redirect_uri|client_metadata)$/

/**
 * Registers a client dynamically (RFC 7591). What the answer says rules over what was asked (section 3.2.1). A server that refuses
 * the redirect URIs is asked once more: with the one of this login alone, or as the other `application_type` where it was alone.
 *
 * @throws CountersignError `client_id_required` (the server registers nobody), `registration_rejected`,
 * `registration_invalid`, `client_authentication_unsupported`, `server_unavailable`, and what the door throws
 */
export async function register(
  context: StepContext,
  target: Target,
  { endpoint: url, initialAccessToken, redirect_uri, grantType, metadata }: Registration,
  signal?: AbortSignal,
): Promise<Registered> {
  const { issuer, token_endpoint_auth_methods_supported: methods } = target
  if (url === undefined) {
    const client = `a client with ${redirect_uri ? `redirect URI ${redirect_uri}` : `grant type ${grantType}`}`
    const expected = `registration_endpoint, or ${client} that was registered by hand`
    throw new CountersignError('client_id_required', { step, url: issuer, expected, received: 'neither' })
  }
  // A public client where the server takes one.
  const token_endpoint_auth_method = chooseAuthMethod(methods, false) ?? chooseAuthMethod(methods, true)
  if (token_endpoint_auth_method === undefined) {
    throw new CountersignError('client_authentication_unsupported', {
      step,
      url: issuer,
      expected: 'none, client_secret_basic or client_secret_post',
      received: methods?.join(' '),
    })
  }
  let redirect_uris = metadata.redirect_uris
  let application_type = applicationType(redirect_uris)
  for (let last = false; ; last = true) {
    const response = await context.http.send({
      step,
      method: 'POST',
      url,
      signal,
      headers: {
        'content-type': 'application/json',
        ...(initialAccessToken !== undefined && { authorization: `Bearer ${initialAccessToken}` }),
      },
      body: buildClientMetadata({
        ...metadata,
        redirect_uris,
        grant_types: [grantType, 'refresh_token'],
        token_endpoint_auth_method,
        application_type,
      }),
    })
    const { status, text } = response
    if (cannotAnswer(status)) throw unavailable(context, step, response)
    if (!succeeded(status)) {
      const secrets = [initialAccessToken]
      const received = `HTTP ${status} ${withoutSecrets(text, secrets).slice(0, 160)}`.trim()
      const oauth = parseOAuthError(text, secrets)
      const asked = ADJUSTABLE.test(oauth?.error ?? '')
        ? `${redirect_uris.join(' ')} as a ${application_type} application`
        : undefined
      if (last || asked === undefined) {
        throw new CountersignError('registration_rejected', { step, url, expected: asked, received, oauth })
      }
      context.diagnose({ code: 'registration_adjusted', url, expected: asked, received })
      if (redirect_uri && redirect_uris.length > 1) redirect_uris = [redirect_uri]
      else application_type = application_type === 'native' ? 'web' : 'native'
      continue
    }
    const seen = { step, url, refusal: 'registration_invalid' } as const
    const information = accept(context, seen, parseClientInformation(text))
    if (status !== 201) {
      tolerate(context, seen, [{ code: 'registration_status', expected: 'HTTP 201', received: `HTTP ${status}` }])
    }
    // An answer that is silent about the method leaves what was asked, unless it gave a secret that the server has a use for.
    const silent =
      methods === undefined && information.client_secret ? 'client_secret_basic' : token_endpoint_auth_method
    const client = clientOf(seen, redirect_uri, { token_endpoint_auth_method: silent, ...information })
    return { client, redirect_uris }
  }
}

function clientOf(
  seen: Seen,
  redirect_uri: string | undefined,
  answer: ClientInformation & { readonly token_endpoint_auth_method: string },
): Client {
  const { client_id, client_secret, client_secret_expires_at, redirect_uris, token_endpoint_auth_method } = answer
  if (redirect_uri && redirect_uris?.includes(redirect_uri) === false) {
    throw refuse(seen, { expected: `redirect_uris with ${redirect_uri}`, received: redirect_uris.join(' ') })
  }
  const client = { client_id, token_endpoint_auth_method, origin: 'dynamic', ...defined({ redirect_uri }) } as const
  if (token_endpoint_auth_method === 'none') return client
  if (client_secret === undefined && token_endpoint_auth_method.startsWith('client_secret_')) {
    throw refuse(seen, { expected: `client_secret for ${token_endpoint_auth_method}`, received: 'none' })
  }
  return { ...client, ...defined({ client_secret, client_secret_expires_at }) }
}
