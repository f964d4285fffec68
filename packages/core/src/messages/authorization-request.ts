const OWN = [
  'client_id',
  'redirect_uri',
  'state',
  'code_challenge',
  'resource',
  'scope',
  'login_hint',
  'dpop_jkt',
] as const

/** An authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2). */
export interface AuthorizationRequest {
  readonly client_id: string
  readonly redirect_uri: string
  readonly state: string
  readonly code_challenge: string
  /** Sent as it is, without normalisation. */
  readonly resource?: string | undefined
  readonly scope?: string | undefined
  readonly login_hint?: string | undefined
  /** RFC 9449 section 10. */
  readonly dpop_jkt?: string | undefined
  /** What one server wants besides; the protocol's own parameters cannot be replaced by it. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** The parameters of an authorization request, whichever way it goes. */
export function authorizationParameters(r: AuthorizationRequest): Readonly<Record<string, string | undefined>> {
  // By name: an object with more in it, a code_verifier say, must not end up in a URL.
  const own = OWN.flatMap((name) => (r[name] ? [[name, r[name]]] : []))
  return { ...r.parameters, response_type: 'code', code_challenge_method: 'S256', ...Object.fromEntries(own) }
}

/** The URL of the authorization request page. The endpoint's own query stays (RFC 6749 section 3.1). */
export function buildAuthorizationUrl(
  authorization_endpoint: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const url = new URL(authorization_endpoint)
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value)
  return url.href
}
