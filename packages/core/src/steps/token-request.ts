import { allowInsecureRequests, customFetch, genericTokenEndpointRequest } from 'oauth4webapi'
import { CountersignError, type OAuthErrorBody } from '../errors/error.js'
import type { HttpResponse } from '../http/http.js'
import { neverSent } from '../http/network-failure.js'
import { retryAfter } from '../http/retry-after.js'
import { applyClientAuthentication } from '../messages/client-authentication.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { parseTokenResponse, type TokenResponse } from '../messages/token-response.js'
import { refuse, type Seen, type StepContext, tolerate } from './context.js'
import type { Target } from './target.js'

/** What came of a token request, told apart by what the server may have committed. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly response: TokenResponse }
  /** The server said no, and means it. */
  | { readonly kind: 'rejected'; readonly error: CountersignError; readonly oauth: OAuthErrorBody }
  /** Surely before a commit: what was presented is still good. */
  | { readonly kind: 'deferred'; readonly error: CountersignError; readonly retryAt: number | undefined }
  /** Perhaps after a commit: what was presented may be spent. */
  | { readonly kind: 'unanswered'; readonly error: CountersignError }

export interface TokenRequest {
  readonly step: string
  readonly target: Target
  readonly client: Client
  readonly grantType: string
  readonly parameters: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/**
 * The one door to the token endpoint (RFC 6749 section 3.2): builds the request with oauth4webapi, sends it through our own
 * door, and says what its answer means. It never throws for an answer; only for what cannot be sent at all.
 */
export async function tokenRequest(context: StepContext, request: TokenRequest): Promise<TokenAnswer> {
  const { step, target, client } = request
  const url = target.token_endpoint
  const seen = { step, url, refusal: 'token_response_invalid' } as const
  let answer: HttpResponse
  try {
    answer = await send(context, request)
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    if (error.code === 'client_authentication_unsupported') throw error
    return neverSent(error) ? { kind: 'deferred', error, retryAt: undefined } : { kind: 'unanswered', error }
  }
  const { status, headers, text } = answer
  const ok = status >= 200 && status < 300
  const oauth = status < 500 ? parseOAuthError(text) : undefined
  const transient = status === 408 || status === 425 || status === 429 || status === 503
  if (oauth !== undefined && !transient) {
    const error = new CountersignError('token_request_rejected', {
      step,
      url,
      received: `HTTP ${status} for client ${client.client_id}`,
      oauth,
    })
    const later = oauth.error === 'temporarily_unavailable' || oauth.error === 'server_error'
    return later ? { kind: 'deferred', error, retryAt: undefined } : { kind: 'rejected', error, oauth }
  }
  if (ok) return readTokens(context, seen, answer)
  const retryAt = retryAfter(headers.get('retry-after'), context.clock.now())
  const error = new CountersignError('server_unavailable', { step, url, received: `HTTP ${status}`, retryAt })
  return status >= 500 && !transient ? { kind: 'unanswered', error } : { kind: 'deferred', error, retryAt }
}

async function send(context: StepContext, request: TokenRequest): Promise<HttpResponse> {
  const { step, target, client, signal, timeoutMs } = request
  const url = target.token_endpoint
  let answer: HttpResponse | undefined
  const parameters = Object.entries(request.parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  await genericTokenEndpointRequest(
    { issuer: target.issuer, token_endpoint: url },
    { client_id: client.client_id },
    (_server, _client, body, headers) => {
      if (applyClientAuthentication(client, headers, body)) return
      throw new CountersignError('client_authentication_unsupported', {
        step,
        url,
        expected: 'none, client_secret_basic or client_secret_post',
        received: client.token_endpoint_auth_method,
      })
    },
    request.grantType,
    parameters,
    {
      // The door applies the URL policy; oauth4webapi's own would also refuse http on loopback.
      [allowInsecureRequests]: true,
      [customFetch]: async (_url, init) => {
        answer = await context.http.send({
          step,
          method: 'POST',
          url,
          headers: init.headers,
          body: String(init.body),
          signal,
          ...(timeoutMs !== undefined && { timeoutMs }),
        })
        return new Response(null)
      },
    },
  )
  if (answer === undefined) throw new CountersignError('unexpected', { step, url, received: 'no request was sent' })
  return answer
}

function readTokens(context: StepContext, seen: Seen, answer: HttpResponse): TokenAnswer {
  const parsed = parseTokenResponse(answer)
  try {
    if ('invalid' in parsed) throw refuse(seen, parsed.invalid)
    tolerate(context, seen, parsed.tolerated)
    return { kind: 'tokens', response: parsed.value }
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    return { kind: 'unanswered', error }
  }
}
