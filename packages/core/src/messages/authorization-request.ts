const OWN = ['client_id', 'redirect_uri', 'state', 'code_challenge', 'resource', 'scope', 'login_hint'] as const

/**
 * The URL of the authorization request page (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2). The
 * endpoint's own query stays (RFC 6749 section 3.1).
 *
 * @param r.resource - sent as it is, without normalisation
 * @param r.parameters - what one server wants besides; the protocol's own parameters cannot be replaced by it
 */
export function buildAuthorizationUrl(r: {
  readonly authorization_endpoint: string
  readonly client_id: string
  readonly redirect_uri: string
  readonly state: string
  readonly code_challenge: string
  readonly resource?: string | undefined
  readonly scope?: string | undefined
  readonly login_hint?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}): string {
  const url = new URL(r.authorization_endpoint)
  const fixed = { ...r.parameters, response_type: 'code', code_challenge_method: 'S256' }
  // By name: an object with more in it, a code_verifier say, must not end up in a URL.
  const own = OWN.map((name) => [name, r[name]] as const)
  for (const [name, value] of [...Object.entries(fixed), ...own]) if (value) url.searchParams.set(name, value)
  return url.href
}
