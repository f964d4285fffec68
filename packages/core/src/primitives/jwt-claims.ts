/**
 * What a token that happens to be a JWT says of itself (RFC 9068 section 2.2), unverified: for explaining a refusal, never
 * for a decision.
 *
 * @returns undefined for a token that is opaque
 */
export function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, claims = '', signature] = token.split('.')
  try {
    if (signature !== undefined) return Object(JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))))
  } catch {
    // Three parts and no JSON: opaque after all.
  }
  return undefined
}
