import { base64url, calculateJwkThumbprint, EmbeddedJWK, errors, type JWTPayload, jwtVerify } from 'jose'

/** What a server makes of the proof of a request (RFC 9449 section 4.3). */
export type ProofVerdict =
  | { readonly kind: 'good'; readonly jkt: string; readonly claims: JWTPayload }
  | { readonly kind: 'bad'; readonly error: 'use_dpop_nonce' | 'invalid_dpop_proof'; readonly reason: string }

/** The request that a proof is for. */
export interface ProvenRequest {
  readonly method: string
  readonly url: string
  /** As it came: undefined where there is none. */
  readonly proof: string | undefined
  /** The token beside it, whose hash has to be in it. */
  readonly accessToken?: string | undefined
  /** The only nonce that is taken; undefined: none is wanted. */
  readonly nonce?: string | undefined
}

const ASYMMETRIC = ['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA', 'PS256', 'RS256']
/** How old a proof may be, and how far in the future, in seconds. */
const WINDOW_S = 60

const sha256 = async (text: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))

/** Verifies proofs, and takes none twice. */
export function createProofVerifier(): (request: ProvenRequest) => Promise<ProofVerdict> {
  const seen = new Set<string>()
  return async ({ method, url, proof, accessToken, nonce }) => {
    const bad = (reason: string): ProofVerdict => ({ kind: 'bad', error: 'invalid_dpop_proof', reason })
    if (proof === undefined) return bad('no proof')
    if (proof.includes(',')) return bad('several proofs')
    try {
      const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: ASYMMETRIC,
      })
      const { jwk } = protectedHeader
      if (jwk === undefined || 'd' in jwk) return bad('no public key alone')
      if (payload.htm !== method) return bad(`htm is ${payload.htm}`)
      const expected = url.replace(/[?#].*/s, '')
      if (payload.htu !== expected) return bad(`htu is ${payload.htu}`)
      if (typeof payload.iat !== 'number' || Math.abs(Date.now() / 1000 - payload.iat) > WINDOW_S) return bad('iat')
      if (typeof payload.jti !== 'string' || payload.jti.length < 16 || seen.has(payload.jti)) return bad('jti')
      seen.add(payload.jti)
      const ath = accessToken === undefined ? undefined : await sha256(accessToken)
      if (payload.ath !== ath) return bad('ath')
      if (nonce !== undefined && payload.nonce !== nonce) {
        return { kind: 'bad', error: 'use_dpop_nonce', reason: 'another nonce is wanted' }
      }
      return { kind: 'good', jkt: await calculateJwkThumbprint(jwk), claims: payload }
    } catch (error) {
      if (error instanceof errors.JOSEError) return bad(error.message.replaceAll('"', "'"))
      throw error
    }
  }
}
