/**
 * What a token that happens to be a JWT says of itself (RFC 9068 section 2.2), unverified: for explaining a refusal, or as a hint, never
 * for a decision.
 *
 * @returns undefined for a token that is opaque
 */
export function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, claims = '', signature] = token.split('.')
  if (signature === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    return Object(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    // Three parts and no JSON: opaque after all.
    return undefined
  }
}
