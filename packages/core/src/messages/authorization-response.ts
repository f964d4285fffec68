import { parseUrl } from '../primitives/parse-url.js'
import { type Invalid, type Parsed, refuse } from './parsed.js'

/** What the authorization server sent back with the person (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2). */
export interface AuthorizationResponse {
  readonly state?: string
  readonly code?: string
  /** Present even when empty: an empty issuer is a wrong one. */
  readonly iss?: string
  readonly error?: string
  readonly error_description?: string
}

/**
 * The parameters of a callback: its query alone, never its fragment. Takes what a person pastes too: a URL without its
 * scheme, a bare query.
 */
export function callbackParameters(callback: string | URL | URLSearchParams): URLSearchParams {
  if (callback instanceof URLSearchParams) return callback
  const text = String(callback).trim()
  return parseUrl(text)?.searchParams ?? new URLSearchParams(text.replace(/#.*$/s, '').replace(/^[^=?]*\?/, ''))
}

/** Reads an authorization response. Whether `state` and `iss` are right is for the caller; a repeated parameter never is. */
export function readAuthorizationResponse(parameters: URLSearchParams): Parsed<AuthorizationResponse> {
  const value: Record<string, string> = {}
  for (const name of ['state', 'code', 'iss', 'error', 'error_description']) {
    const [first, ...more] = parameters.getAll(name)
    if (more.length > 0) return refuse(`${name} once`, `${more.length + 1} times`)
    if (first !== undefined && (first !== '' || name === 'iss')) value[name] = first
  }
  return { value, tolerated: [] }
}

/**
 * Whether the response comes from the authorization server that was asked (RFC 9207 section 2.4; MCP authorization,
 * authorization response validation): by exact string comparison, due only where the metadata announces it.
 *
 * @returns `undefined` if it does
 */
export function checkIssuer(
  iss: string | undefined,
  expected: { readonly issuer: string; readonly iss_parameter?: boolean },
): Invalid | undefined {
  if (iss === undefined ? !expected.iss_parameter : iss === expected.issuer) return undefined
  return { expected: `iss ${expected.issuer}`, received: iss === undefined ? 'no iss' : `iss ${iss}` }
}
