import { CountersignError } from '../errors/error.js'
import type { HttpResponse } from '../http/http.js'
import { chooseAuthMethod } from '../messages/client-authentication.js'
import { type Client, parseClientInformation } from '../messages/client-information.js'
import { applicationType, buildClientMetadata } from '../messages/client-metadata.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { defined } from '../primitives/defined.js'
import { refuse, type StepContext, succeeded, tolerate, unavailable } from './context.js'
import type { Target } from './target.js'

const step = 'register'

/** What a host says about itself (RFC 7591 section 2), and what this login needs. */
export interface Registration {
  readonly client_name: string | undefined
  readonly client_uri: string | undefined
  readonly logo_uri: string | undefined
  /** All that this install may use, in a stable order. */
  readonly redirect_uris: readonly string[]
  /** The one of this login. */
  readonly redirect_uri: string
  readonly initialAccessToken: string | undefined
}

/**
 * Registers a client dynamically (RFC 7591). What the answer says rules over what was asked (section 3.2.1).
 *
 * @throws CountersignError `client_id_required` (the server registers nobody), `registration_rejected`,
 * `registration_invalid`, `client_authentication_unsupported`, `server_unavailable`, and what the door throws
 */
export async function register(
  context: StepContext,
  target: Target,
  registration: Registration,
  signal?: AbortSignal,
): Promise<Client> {
  const url = target.registration_endpoint
  if (url === undefined) {
    throw new CountersignError('client_id_required', {
      step,
      url: target.issuer,
      expected: 'a registration_endpoint, or a client registered by hand',
      received: 'neither',
      hint: `Register a client with redirect URI ${registration.redirect_uri} at ${target.issuer} and pass it as client.registered: { issuer: '${target.issuer}', clientId }.`,
    })
  }
  const method = chooseAuthMethod(target.token_endpoint_auth_methods_supported, false) ?? confidential(target)
  const response = await context.http.send({
    step,
    method: 'POST',
    url,
    signal,
    headers: {
      'content-type': 'application/json',
      ...(registration.initialAccessToken !== undefined && {
        authorization: `Bearer ${registration.initialAccessToken}`,
      }),
    },
    body: buildClientMetadata({
      client_name: registration.client_name,
      client_uri: registration.client_uri,
      logo_uri: registration.logo_uri,
      redirect_uris: registration.redirect_uris,
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: method,
      application_type: applicationType(registration.redirect_uris),
      scope: target.scope,
    }),
  })
  if (!succeeded(response.status)) throw rejection(context, response)

  const seen = { step, url, refusal: 'registration_invalid' } as const
  const parsed = parseClientInformation(response.text)
  if ('invalid' in parsed) throw refuse(seen, parsed.invalid)
  tolerate(context, seen, parsed.tolerated)
  if (response.status !== 201) {
    tolerate(context, seen, [
      { code: 'registration_status', expected: 'HTTP 201', received: `HTTP ${response.status}` },
    ])
  }
  return clientOf(target, registration, method, parsed.value)
}

function clientOf(
  target: Target,
  registration: Registration,
  asked: string,
  answer: Extract<ReturnType<typeof parseClientInformation>, { readonly value: unknown }>['value'],
): Client {
  if (answer.redirect_uris !== undefined && !answer.redirect_uris.includes(registration.redirect_uri)) {
    throw new CountersignError('registration_invalid', {
      step,
      url: target.registration_endpoint,
      expected: `redirect_uris with ${registration.redirect_uri}`,
      received: answer.redirect_uris.join(' '),
    })
  }
  // An answer that is silent about the method leaves what was asked, unless it gave a secret that the server has a use for.
  const methods = target.token_endpoint_auth_methods_supported
  const secretive = asked === 'none' && answer.client_secret !== undefined && !methods?.includes('none')
  const silent = secretive ? chooseAuthMethod(methods, true) : asked
  const method = answer.token_endpoint_auth_method ?? silent ?? asked
  const secret = method === 'none' ? undefined : answer.client_secret
  if (method.startsWith('client_secret_') && secret === undefined) {
    throw new CountersignError('registration_invalid', {
      step,
      url: target.registration_endpoint,
      expected: `client_secret for ${method}`,
      received: 'none',
    })
  }
  return defined({
    client_id: answer.client_id,
    token_endpoint_auth_method: method,
    origin: 'dynamic' as const,
    redirect_uri: registration.redirect_uri,
    client_secret: secret,
    client_secret_expires_at: secret === undefined ? undefined : answer.client_secret_expires_at,
  })
}

function confidential(target: Target): string {
  const method = chooseAuthMethod(target.token_endpoint_auth_methods_supported, true)
  if (method !== undefined) return method
  throw new CountersignError('client_authentication_unsupported', {
    step,
    url: target.issuer,
    expected: 'none, client_secret_basic or client_secret_post',
    received: target.token_endpoint_auth_methods_supported?.join(' '),
  })
}

function rejection(context: StepContext, response: HttpResponse): CountersignError {
  const { status, text, url } = response
  if (status === 429 || status >= 500) return unavailable(context, step, response)
  return new CountersignError('registration_rejected', {
    step,
    url,
    expected: 'HTTP 201',
    received: `HTTP ${status} ${text.slice(0, 160)}`,
    oauth: parseOAuthError(text),
    hint:
      status === 401 || status === 403
        ? 'Give the endpoint its token in compatibility.initialAccessToken, or register a client by hand and pass it as client.registered.'
        : undefined,
  })
}
