import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { createProofVerifier } from './proof.js'

/** What a protected resource thinks of the credentials that came with a request. */
export type TokenVerdict =
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly reason: string; readonly proof?: 'use_dpop_nonce' | 'invalid_dpop_proof' }
  | { readonly kind: 'insufficient'; readonly scope: string }
  | { readonly kind: 'accepted'; readonly authInfo: AuthInfo }

/** What a resource demands of an access token. */
export interface TokenDemands {
  readonly issuer: string
  /** Where the issuer's keys are; looked up in its metadata unless given. */
  readonly jwksUri: string | undefined
  /** The resource's own identifier: the only audience it answers to. */
  readonly audience: string
  /** Space separated; all of them. */
  readonly requiredScope?: string | undefined
  /** Whether it takes tokens that are bound to a key (RFC 9449): none but those, or those too. No unless given. */
  readonly dpop?: 'required' | 'offered' | undefined
  /** The only nonce that it takes in a proof now; undefined: it wants none. */
  nonce(): string | undefined
  /** Refuses a token that is good in every other way, as a server that lost or revoked it would. */
  rejects(claims: JWTPayload): boolean
}

/** The credentials of a request, and the request itself, which a proof is bound to. */
export interface Presented {
  readonly authorization: string | undefined
  readonly proof: string | undefined
  readonly method: string
  readonly url: string
}

/**
 * Verifies JWT access tokens (RFC 9068): signature against the issuer's published keys, issuer, audience, and expiry
 * to the second, with no tolerance. One that is bound to a key counts with the scheme DPoP and a proof alone, and one that is not
 * without (RFC 9449 section 7).
 */
export function createTokenVerifier(demands: TokenDemands): (presented: Presented) => Promise<TokenVerdict> {
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined
  const verifyProof = createProofVerifier()

  return async ({ authorization, ...request }) => {
    if (authorization === undefined) return { kind: 'absent' }
    const [, scheme = '', token] = /^(Bearer|DPoP) +(\S+)$/i.exec(authorization) ?? []
    const bound = /^dpop$/i.test(scheme)
    const taken = bound ? demands.dpop !== undefined : demands.dpop !== 'required'
    if (token === undefined || !taken) return { kind: 'invalid', reason: `another scheme than ${scheme || 'that'}` }

    // Looked up with the first token, not at the start: the authorization server may be one that a test starts later.
    keys ??= publishedKeys(demands)
    try {
      const { payload } = await jwtVerify(token, await keys, {
        issuer: demands.issuer,
        audience: demands.audience,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub'],
        clockTolerance: 0,
      })
      const { jkt } = Object(payload.cnf)
      if (bound) {
        const proof = await verifyProof({ ...request, accessToken: token, nonce: demands.nonce() })
        if (proof.kind === 'bad') return { kind: 'invalid', reason: proof.reason, proof: proof.error }
        if (proof.jkt !== jkt) return { kind: 'invalid', reason: 'the token is bound to another key' }
      } else if (jkt !== undefined) {
        return { kind: 'invalid', reason: 'the token is bound to a key' }
      }
      if (demands.rejects(payload)) return { kind: 'invalid', reason: 'the token was revoked' }
      const scopes = typeof payload.scope === 'string' ? payload.scope.split(' ') : []
      const required = demands.requiredScope
      if (required?.split(' ').some((scope) => !scopes.includes(scope)))
        return { kind: 'insufficient', scope: required }
      return { kind: 'accepted', authInfo: authInfo(token, payload, scopes) }
    } catch (error) {
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) {
        return { kind: 'invalid', reason: error.message.replaceAll('"', "'") }
      }
      // The keys could not be had: that says nothing about the token, and the next request tries again.
      keys = undefined
      throw error
    }
  }
}

function authInfo(token: string, payload: JWTPayload, scopes: string[]): AuthInfo {
  return {
    token,
    clientId: String(payload.client_id),
    scopes,
    ...(payload.exp === undefined ? {} : { expiresAt: payload.exp }),
    extra: { subject: payload.sub },
  }
}

async function publishedKeys(demands: TokenDemands): Promise<ReturnType<typeof createRemoteJWKSet>> {
  return createRemoteJWKSet(new URL(demands.jwksUri ?? (await discoveredJwksUri(demands.issuer))))
}

async function discoveredJwksUri(issuer: string): Promise<string> {
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    const response = await fetch(new URL(`/.well-known/${name}`, issuer))
    if (response.ok) return ((await response.json()) as { jwks_uri: string }).jwks_uri
    await response.body?.cancel()
  }
  throw new Error(`${issuer} publishes no metadata`)
}
