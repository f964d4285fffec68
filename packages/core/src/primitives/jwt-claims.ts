import { decodeBase64url } from './base64url.js'

/**
 * What a token that happens to be a JWT says of itself (RFC 9068 section 2.2), unverified: for explaining a refusal, never
 * for a decision.
 *
 * @returns undefined for a token that is opaque
 */
export function jwtClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBase64url(token.split('.')[1] ?? '')
  if (bytes === undefined || token.split('.').length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined
  } catch {
    // Three parts and no JSON: opaque after all.
    return undefined
  }
}
