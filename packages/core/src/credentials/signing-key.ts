import { CountersignError } from '../errors/error.js'
import { encodeBase64url } from '../primitives/base64url.js'

/** What may be said of a private key beside the key itself. */
export interface KeyOptions {
  /** `ES256`, `ES384`, `ES512`, `RS256` to `RS512`, `PS256` to `PS512`, `EdDSA` or `Ed25519`. Default: what the key says. */
  readonly signingAlgorithm?: string | undefined
  /** `kid` of the assertion's header. Default: the JWK's own, else none. */
  readonly keyId?: string | undefined
}

/** A key that is ready to sign. */
export interface SigningKey {
  readonly key: CryptoKey
  /** In the words of JOSE (RFC 7518 section 3.1, RFC 8037). */
  readonly algorithm: string
  readonly keyId: string | undefined
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \1-----\s*$/

const unusable = (expected: string, received: string, cause?: unknown): CountersignError =>
  new CountersignError('options_invalid', { step: 'authenticate', expected, received, cause })

/** What `crypto.subtle` calls an algorithm, for importing and for signing. */
function parametersOf(algorithm: string): { name: string; hash: string; saltLength: number; namedCurve: string } {
  const bits = Number(algorithm.slice(2))
  const rest = { hash: `SHA-${bits}`, saltLength: bits / 8, namedCurve: CURVES[algorithm] ?? '' }
  if (rest.namedCurve !== '') return { name: 'ECDSA', ...rest }
  if (/^PS(256|384|512)$/.test(algorithm)) return { name: 'RSA-PSS', ...rest }
  if (/^RS(256|384|512)$/.test(algorithm)) return { name: 'RSASSA-PKCS1-v1_5', ...rest }
  if (/^Ed(DSA|25519)$/.test(algorithm)) return { name: 'Ed25519', ...rest }
  throw unusable('signingAlgorithm: an asymmetric one of RFC 7518, or EdDSA', algorithm)
}

/**
 * A private key from what a host has.
 *
 * @throws CountersignError `options_invalid`, without a character of the key
 */
export async function signingKey(
  material: CryptoKey | string,
  { signingAlgorithm, keyId }: KeyOptions,
): Promise<SigningKey> {
  if (typeof material !== 'string') {
    return { key: material, algorithm: signingAlgorithm ?? algorithmOfKey(material), keyId }
  }
  const pem = PEM.exec(material.trim())
  const jwk = pem ? undefined : parseJwk(material)
  const algorithm = signingAlgorithm ?? (jwk && algorithmOfJwk(jwk))
  if (algorithm === undefined) throw unusable('signingAlgorithm beside this key', 'none')
  const parameters = parametersOf(algorithm)
  const { subtle } = globalThis.crypto
  try {
    const key =
      jwk === undefined
        ? await subtle.importKey('pkcs8', derOf(pem), parameters, false, ['sign'])
        : await subtle.importKey('jwk', { ...jwk, key_ops: ['sign'], use: 'sig' }, parameters, false, ['sign'])
    return { key, algorithm, keyId: keyId ?? (typeof jwk?.kid === 'string' ? jwk.kid : undefined) }
  } catch (cause) {
    if (CountersignError.is(cause)) throw cause
    throw unusable(`privateKey: a key for ${algorithm}, as PKCS#8 PEM or as JWK`, 'another key')
  }
}

/** A compact JWS over these claims (RFC 7515 section 7.1, RFC 7519). */
export async function signJwt({ key, algorithm, keyId }: SigningKey, claims: object): Promise<string> {
  const encode = (part: object): string => encodeBase64url(new TextEncoder().encode(JSON.stringify(part)))
  const input = `${encode({ alg: algorithm, kid: keyId })}.${encode(claims)}`
  const parameters = parametersOf(algorithm)
  try {
    const bytes = await globalThis.crypto.subtle.sign(parameters, key, new TextEncoder().encode(input))
    return `${input}.${encodeBase64url(new Uint8Array(bytes))}`
  } catch (cause) {
    const { name } = key.algorithm
    throw unusable(`privateKey: a key that may sign with ${algorithm}`, `${name}, for ${key.usages.join(' ')}`, cause)
  }
}

function derOf(pem: RegExpExecArray | null): Uint8Array<ArrayBuffer> {
  const [, label, text = ''] = pem ?? []
  if (label === 'PRIVATE KEY') return Uint8Array.from(atob(text.replace(/\s/g, '')), (c) => c.charCodeAt(0))
  const expected = 'privateKey: PKCS#8, which begins with BEGIN PRIVATE KEY (openssl pkcs8 -topk8 -nocrypt makes it)'
  throw unusable(expected, `BEGIN ${label}`)
}

type Jwk = JsonWebKey & { readonly kid?: unknown }

function parseJwk(text: string): Jwk {
  try {
    return Object(JSON.parse(text))
  } catch {
    // The parser's own error quotes the text.
    throw unusable('privateKey: PKCS#8 PEM, or a JWK in JSON', 'neither')
  }
}

function algorithmOfJwk({ alg, crv }: Jwk): string | undefined {
  if (alg !== undefined) return alg
  return crv === 'Ed25519' ? 'EdDSA' : curveAlgorithm(crv)
}

function algorithmOfKey({ algorithm }: CryptoKey): string {
  const { name, namedCurve, hash } = algorithm as { name: string; namedCurve?: string; hash?: { name: string } }
  const bits = hash?.name.slice(4)
  if (name === 'RSA-PSS') return `PS${bits}`
  if (name === 'RSASSA-PKCS1-v1_5') return `RS${bits}`
  return name === 'Ed25519' ? 'EdDSA' : (curveAlgorithm(namedCurve) ?? name)
}

const curveAlgorithm = (curve: string | undefined): string | undefined =>
  Object.keys(CURVES).find((algorithm) => CURVES[algorithm] === curve)
