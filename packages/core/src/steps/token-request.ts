import { CountersignError, type OAuthErrorBody } from '../errors/error.js'
import type { HttpResponse } from '../http/http.js'
import { neverSent } from '../http/network-failure.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { parseTokenResponse, type TokenResponse } from '../messages/token-response.js'
import { refuse, type Seen, type StepContext, succeeded, tolerate, unavailable } from './context.js'
import { postForm } from './post-form.js'
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
  readonly timeoutMs?: number
}

/**
 * The one door to the token endpoint (RFC 6749 section 3.2): sends the request and says what its answer means. It never throws for an answer; only for what cannot be sent at all.
 */
export async function tokenRequest(context: StepContext, request: TokenRequest): Promise<TokenAnswer> {
  const { step, target, client } = request
  const url = target.token_endpoint
  const seen = { step, url, refusal: 'token_response_invalid' } as const
  let answer: HttpResponse
  try {
    const parameters = { grant_type: request.grantType, ...request.parameters }
    answer = await postForm(context, { step, url, client, parameters, timeoutMs: request.timeoutMs })
  } catch (error) {
    if (!CountersignError.is(error)) throw error
    if (error.code === 'client_authentication_unsupported') throw error
    return neverSent(error) ? { kind: 'deferred', error, retryAt: undefined } : { kind: 'unanswered', error }
  }
  const { status, text } = answer
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
  if (succeeded(status)) return readTokens(context, seen, answer)
  const error = unavailable(context, step, answer)
  return status >= 500 && !transient
    ? { kind: 'unanswered', error }
    : { kind: 'deferred', error, retryAt: error.retryAt }
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
