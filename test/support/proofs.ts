import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import type { Sent } from './sent.js'

/** A proof of possession as it was sent: header and claims, and the request that it came with. */
export interface SentProof {
  readonly request: Sent
  readonly header: ReturnType<typeof decodeProtectedHeader>
  readonly claims: JWTPayload
}

/** The proofs of requests, in order; requests without one are left out. */
export const proofsIn = (sent: readonly Sent[]): readonly SentProof[] =>
  sent.flatMap((request) => {
    const proof = request.headers.get('dpop')
    return proof === null ? [] : { request, header: decodeProtectedHeader(proof), claims: decodeJwt(proof) }
  })
