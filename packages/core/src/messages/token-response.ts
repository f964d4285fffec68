import { defined } from '../primitives/defined.js'
import {
  type JsonObject,
  kindOf,
  optionalMembers,
  type Parsed,
  parseForm,
  parseJsonObject,
  readDocument,
  refuse,
} from './parsed.js'

/** A token response (RFC 6749 section 5.1). An `id_token` is nobody's business here. */
export interface TokenResponse {
  /** What is sent with requests; printable ASCII. */
  readonly access_token: string
  /** `DPoP`: bound to the key that was proven (RFC 9449 section 5). */
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds; absent: unknown; 0: expired already. */
  readonly expires_in?: number
  /** Absent: none, or that of the request goes on. */
  readonly refresh_token?: string
  /** Space-separated; absent: what was asked for. */
  readonly scope?: string
  /** Of an exchange (RFC 8693 section 2.2.1). */
  readonly issued_token_type?: string
  /** When the server answered, by the own clock, in milliseconds since the epoch. */
  readonly issued_at: number
}

/** Tokens as they are kept. */
export interface Tokens {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  readonly refresh_token?: string
  readonly scope?: string
  /** When the server answered, in milliseconds since the epoch. */
  readonly issued_at: number
  /** Milliseconds since the epoch; absent: unknown. */
  readonly expires_at?: number
}

const OPTIONAL = {
  expires_in: 'seconds',
  refresh_token: 'string',
  scope: 'scope',
  issued_token_type: 'string',
} as const

/** A header cannot carry anything else, and an injected line break would be another header. */
export const isSendable = (token: unknown): token is string => typeof token === 'string' && /^[ -~]+$/.test(token)

function parseBody(text: string): Parsed<JsonObject> {
  const parsed = parseJsonObject(text)
  const value = 'invalid' in parsed ? parseForm(text) : undefined
  if (value === undefined) return parsed
  return { value, tolerated: [{ code: 'token_response_form_encoded', expected: 'JSON', received: 'a form' }] }
}

/**
 * Reads a successful token response: JSON whatever its media type, a form, `expires_in` as a string, nulls for what is absent.
 * Neither side of the result but the value itself has a token in it.
 *
 * @param issued - the `issued_token_type` that must come. One that is no access token has `N_A` as its `token_type`
 * @param binding - whether the token may or must be bound to the key that was proven (RFC 9449 section 5)
 */
export function parseTokenResponse(
  { status, text }: { readonly status: number; readonly text: string },
  issued?: string,
  binding?: 'possible' | 'required',
): Parsed<Omit<TokenResponse, 'issued_at'>> {
  const body = parseBody(text)
  const read = readDocument(body, 'access_token', OPTIONAL)
  if ('invalid' in body) return body
  if ('invalid' in read) return read
  if (!isSendable(read.value.access_token)) return refuse('access_token: printable ASCII', 'other characters')
  const { token_type, issued_token_type } = body.value
  if (issued !== undefined && issued_token_type !== issued) {
    return refuse(`issued_token_type ${issued}`, JSON.stringify(issued_token_type) ?? 'none')
  }
  const type = JSON.stringify(token_type ?? '')
  const bound = binding !== undefined && /^"dpop"$/i.test(type)
  // A token of another type is bound to a key that nobody here has: as a bearer token it would be refused, or worse.
  const bearer = binding !== 'required' && (!token_type || (issued ? /^"(bearer|n_a)"$/i : /^"bearer"$/i).test(type))
  if (!bound && !bearer) return refuse(`token_type ${binding === 'required' ? 'DPoP' : 'Bearer'}`, type)
  const tolerated = [...read.tolerated]
  if (!token_type) tolerated.push({ code: 'token_type_missing', expected: 'token_type', received: kindOf(token_type) })
  if (status !== 200)
    tolerated.push({ code: 'token_response_status', expected: 'HTTP 200', received: `HTTP ${status}` })
  return { value: { ...read.value, token_type: bound ? 'DPoP' : 'Bearer' }, tolerated }
}

/**
 * The refresh token of a response that is not usable otherwise, JSON that breaks off among them. A server that rotates has made
 * the old one worthless by now.
 */
export function salvageRefreshToken(text: string): string | undefined {
  const parsed = parseBody(text)
  if ('invalid' in parsed) return /"refresh_token"\s*:\s*"([!#-[\]-~]+)"/.exec(text)?.[1]
  return optionalMembers(parsed.value, { refresh_token: 'string' }, []).refresh_token
}

/** The tokens of a response, with their expiry as a point in time. */
export function toTokens(response: TokenResponse): Tokens {
  const { access_token, token_type, refresh_token, scope, expires_in, issued_at } = response
  const expires_at = expires_in === undefined ? undefined : issued_at + expires_in * 1000
  return defined({ access_token, token_type, issued_at, refresh_token, scope, expires_at })
}
