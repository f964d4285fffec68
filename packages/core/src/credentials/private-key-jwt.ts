import { randomId } from '../primitives/random-id.js'
import type { RegisteredClient, Secret } from './registered-client.js'
import { type KeyOptions, signingKey, signJwt } from './signing-key.js'

/** How long an assertion is good, in seconds: a clock that is a few minutes off must not lock a client out. */
const LIFETIME_S = 300

/** A client that was registered by hand, with the public half of a key. */
export interface PrivateKeyClient extends Omit<RegisteredClient, 'privateKey' | 'clientSecret'>, KeyOptions {
  /** PKCS#8 PEM or JWK as text, its supplier, or a key that `crypto.subtle` holds. Never stored. */
  readonly privateKey: CryptoKey | Secret
}

/**
 * A registered client that authenticates by `private_key_jwt` (RFC 7523 section 2.2, OpenID Connect Core section 9): each request
 * carries an assertion of its own, signed here, whose audience is the issuer and nothing else. The key is never sent.
 *
 * @param client - `signingAlgorithm` is needed for PEM, and for RSA keys that do not name theirs
 * @returns for `client.registered`, and for `identityProvider` of `enterpriseManaged()`; made once, because functions compare by
 * identity
 * @throws CountersignError, when it is used: `options_invalid`, the key cannot be used or its supplier fails
 * @example
 * ```ts
 * createConnector({ appId, client: { registered: privateKeyJwt({ issuer, clientId, privateKey: pem, signingAlgorithm: 'ES256' }) } })
 * ```
 */
export function privateKeyJwt({ privateKey, signingAlgorithm, keyId, ...client }: PrivateKeyClient): RegisteredClient {
  const { clientId } = client
  return {
    ...client,
    tokenEndpointAuthMethod: 'private_key_jwt',
    authenticate: async (reveal) => {
      const material = typeof privateKey === 'object' ? privateKey : await reveal(privateKey)
      const key = await signingKey(material, { signingAlgorithm, keyId })
      return async ({ issuer, now, random }) => {
        const iat = Math.floor(now / 1000)
        const claims = { iss: clientId, sub: clientId, aud: issuer, jti: randomId(random), iat, exp: iat + LIFETIME_S }
        return {
          client_id: clientId,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await signJwt(key, claims),
        }
      }
    },
  }
}
