import { CountersignError, type OAuthErrorBody } from '../errors/error.js'
import { neverSent } from '../http/network-failure.js'
import type { Client } from '../messages/client-information.js'
import { parseOAuthError } from '../messages/oauth-error.js'
import { parseTokenResponse, salvageRefreshToken, type TokenResponse } from '../messages/token-response.js'
import { accept, type StepContext, succeeded, unavailable } from './context.js'
import { postForm } from './post-form.js'
import type { Target } from './target.js'

/** What came of a token request, told apart by what the server may have committed. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly response: TokenResponse }
  /** The server said no, and means it. */
  | {
      readonly kind: 'rejected'
      readonly error: CountersignError
      readonly oauth: OAuthErrorBody
      /** The server no longer knows a client that it had registered. */
      readonly forgotten: boolean
    }
  /** Surely before a commit: what was presented is still good. */
  | { readonly kind: 'deferred'; readonly error: CountersignError }
  /** Perhaps after a commit: what was presented may be spent. `refresh_token`: all that was usable of the answer. */
  | { readonly kind: 'unanswered'; readonly error: CountersignError; readonly refresh_token?: string | undefined }

export interface TokenRequest {
  readonly step: string
  readonly target: Target
  readonly client: Client
  /** Beside the client's and the `resource`, which every token request carries; another `resource` in it wins. */
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** What must come of an exchange (RFC 8693 section 2.2.1). */
  readonly issuedTokenType?: string | undefined
  readonly timeoutMs?: number | undefined
  /** What of this grant's own errors means what it says, whatever its status. */
  readonly ownErrors?: RegExp
}

/** Answers of a server that has not looked at the request: busy, too early, overloaded. */
const NOT_NOW = new Set([408, 425, 429, 503])
/** A gateway's own error document has an `error` too: a phrase, or a word with a capital ("Not Found", "Unauthorized"). */
const ERROR_CODE = /^[a-z]\w*$/
/** Outside of 400 and 401 only OAuth's own words count. */
const OAUTH_ERROR = /^(?:invalid|unauthorized|unsupported|access)_\w+$/
/** `use_dpop_nonce` and `invalid_dpop_proof`, and what servers write where they want a proof (RFC 9449 sections 5 and 8). */
const ABOUT_PROOFS = /dpop/i
const LATER = new Set(['temporarily_unavailable', 'server_error'])
/** Servers that forgot a client say so in one of these words (RFC 6749 section 5.2). */
const FORGOTTEN = new Set(['invalid_client', 'unauthorized_client'])

/** Whether a server says that it no longer knows a client that it had registered. */
export const forgets = (client: Client, oauth: OAuthErrorBody | undefined): boolean =>
  client.origin === 'dynamic' && FORGOTTEN.has(oauth?.error ?? '')

/**
 * The one door to the token endpoint (RFC 6749 section 3.2): sends the request and says what its answer means. It never throws
 * for an answer; only for what cannot be sent at all.
 */
export async function tokenRequest(context: StepContext, request: TokenRequest): Promise<TokenAnswer> {
  const { step, target, client, timeoutMs, ownErrors } = request
  const { token_endpoint: url, dpop_key_id: key } = target
  let refresh_token: string | undefined
  try {
    const parameters = { resource: target.resource_parameter, ...request.parameters }
    const proofs = key === undefined ? undefined : context.proofs()
    const sentAt = context.clock.now()
    const answer = await postForm(context, { step, url, client, parameters, timeoutMs, key })
    const { status, text } = answer
    const notNow = NOT_NOW.has(status)
    const said = status < 500 ? parseOAuthError(text, answer.secrets) : undefined
    const usual = status === 400 || status === 401 || succeeded(status)
    const means = usual ? ERROR_CODE : OAUTH_ERROR
    const meant = said && (ownErrors?.test(said.error) || (!notNow && means.test(said.error)))
    const oauth = meant ? said : undefined
    if (oauth !== undefined) {
      const received = `HTTP ${status} for client ${client.client_id}`
      const lacking = !proofs && ABOUT_PROOFS.test(`${oauth.error} ${oauth.error_description}`)
      const error = new CountersignError(lacking ? 'dpop_required' : 'token_request_rejected', {
        step,
        url,
        received,
        oauth,
        ...(ABOUT_PROOFS.test(oauth.error) && proofs?.refused(answer.headers)),
      })
      return LATER.has(oauth.error)
        ? deferred(error)
        : { kind: 'rejected', error, oauth, forgotten: forgets(client, oauth) }
    }
    if (succeeded(status)) {
      refresh_token = salvageRefreshToken(text)
      const seen = { step, url, refusal: 'token_response_invalid' } as const
      const response = accept(context, seen, parseTokenResponse(answer, request.issuedTokenType, proofs?.binding))
      proofs?.issued(url, response.token_type)
      const issued_at = answeredAt(answer.headers, sentAt, context.clock.now())
      return { kind: 'tokens', response: { ...response, issued_at } }
    }
    const error = unavailable(context, step, answer)
    return status < 500 || notNow ? deferred(error) : { kind: 'unanswered', error }
  } catch (error) {
    if (!CountersignError.is(error) || error.action === 'fix_configuration') throw error
    return neverSent(error) ? deferred(error) : { kind: 'unanswered', error, refresh_token }
  }
}

/**
 * An answer may lie in the socket for long, and a lifetime counts from when it was given: by its `Date` (RFC 9110 section
 * 6.6.1), within the time between the request and now, which is what a clock that differs from ours can be right about.
 */
const answeredAt = (headers: Headers, sentAt: number, now: number): number =>
  Math.max(sentAt, Math.min(Date.parse(headers.get('date') ?? '') || now, now))

const deferred = (error: CountersignError): TokenAnswer => ({ kind: 'deferred', error })
