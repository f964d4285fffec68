import { quoteForeign } from '../errors/text.js'
import { defined } from '../primitives/defined.js'
import {
  isFilled,
  type JsonObject,
  kindOf,
  optionalMembers,
  optionalSeconds,
  type Parsed,
  parseForm,
  parseJsonObject,
  refuse,
  type Tolerated,
} from './parsed.js'

/** A token response (RFC 6749 section 5.1). An `id_token` is nobody's business here. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds; absent: unknown; 0: expired already. */
  readonly expires_in?: number
  readonly refresh_token?: string
  readonly scope?: string
}

/** Tokens as they are kept. */
export interface Tokens {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  readonly refresh_token?: string
  readonly scope?: string
  /** When the response arrived, in milliseconds since the epoch. */
  readonly issued_at: number
  /** Milliseconds since the epoch; absent: unknown. */
  readonly expires_at?: number
}

const TOKEN_TYPES = ['Bearer', 'DPoP'] as const

function parseBody(text: string): Parsed<JsonObject> {
  const parsed = parseJsonObject(text)
  const form = 'invalid' in parsed ? parseForm(text) : undefined
  if (form === undefined) return parsed
  const code = 'token_response_form_encoded'
  return { value: form, tolerated: [{ code, expected: 'JSON', received: 'a form-encoded body' }] }
}

/**
 * Reads a token response: JSON whatever its media type (F11), a form (F01), `expires_in` as a string (F06), nulls for what
 * is absent (F10). Neither side of the result but the value itself has a token in it.
 */
export function parseTokenResponse(response: {
  readonly status: number
  readonly text: string
}): Parsed<TokenResponse> {
  const { status, text } = response
  if (status < 200 || status > 299) return refuse('status 200', `status ${status}`)
  const parsed = parseBody(text)
  if ('invalid' in parsed) return parsed
  const body = parsed.value
  const tolerated: Tolerated[] = [...parsed.tolerated]
  if (status !== 200) {
    tolerated.push({ code: 'token_response_status', expected: 'status 200', received: `status ${status}` })
  }

  const { access_token, token_type } = body
  if (!isFilled(access_token)) return refuse('access_token: a string', kindOf(access_token))
  // A header cannot carry anything else, and an injected line break would be another header.
  if (!/^[ -~]+$/.test(access_token)) {
    return refuse('access_token of printable ASCII (RFC 6749 appendix A.12)', 'other characters')
  }
  const missing = token_type === undefined || token_type === null || token_type === ''
  const named = missing ? 'Bearer' : typeof token_type === 'string' ? token_type : undefined
  const known = TOKEN_TYPES.find((type) => type.toLowerCase() === named?.toLowerCase())
  if (known === undefined) {
    return refuse('token_type Bearer or DPoP', named === undefined ? kindOf(token_type) : quoteForeign(named))
  }
  if (missing) tolerated.push({ code: 'token_type_missing', expected: 'token_type', received: kindOf(token_type) })

  const expires_in = optionalSeconds(body, 'expires_in', 'expires_in_not_a_number', tolerated)
  const value: TokenResponse = {
    access_token,
    token_type: known,
    ...(expires_in !== undefined && { expires_in }),
    ...optionalMembers(body, { refresh_token: 'string', scope: 'scope' }, tolerated),
  }
  return { value, tolerated }
}

/**
 * The refresh token of a response that is not usable otherwise. A server that rotates has made the old one worthless by now.
 */
export function salvageRefreshToken(text: string): string | undefined {
  const parsed = parseBody(text)
  if ('invalid' in parsed) return undefined
  return optionalMembers(parsed.value, { refresh_token: 'string' }, []).refresh_token
}

/**
 * The tokens of a response, with their expiry as a point in time (F09).
 *
 * @param at.now - when the response arrived, in milliseconds since the epoch
 */
export function toTokens(response: TokenResponse, at: { readonly now: number }): Tokens {
  const { access_token, token_type, refresh_token, scope, expires_in } = response
  const expires_at = expires_in === undefined ? undefined : at.now + expires_in * 1000
  return defined({ access_token, token_type, issued_at: at.now, refresh_token, scope, expires_at })
}
