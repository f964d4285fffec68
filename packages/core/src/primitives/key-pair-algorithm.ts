import { CountersignError } from '../errors/error.js'

/** What `crypto.subtle` makes and imports key pairs by. */
export type KeyPairAlgorithm = EcKeyGenParams | RsaHashedKeyGenParams | { readonly name: 'Ed25519' }

/**
 * A JWS algorithm (RFC 7518 section 3.1, RFC 9864) in the words of `crypto.subtle`: for stores of key pairs.
 *
 * @throws CountersignError `options_invalid` for one that signs with no key pair
 */
export function keyPairAlgorithm(algorithm: string): KeyPairAlgorithm {
  const [, family, bits] = /^(ES|RS|PS)(256|384|512)$/.exec(algorithm) ?? []
  if (family === 'ES') return { name: 'ECDSA', namedCurve: `P-${bits === '512' ? 521 : bits}` }
  if (algorithm === 'EdDSA' || algorithm === 'Ed25519') return { name: 'Ed25519' }
  if (family !== undefined) {
    const name = family === 'RS' ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS'
    return { name, hash: `SHA-${bits}`, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
  }
  throw new CountersignError('options_invalid', {
    step: 'connect',
    expected: 'a JWS algorithm with a key pair: ES256, Ed25519, PS256 and their like',
    received: algorithm,
  })
}
