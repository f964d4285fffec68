import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type CountersignError, type PrivateKeyClient, privateKeyJwt } from '@countersign/core'
import { decodeProtectedHeader, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'

const issuer = 'https://as.example'
const now = Date.UTC(2026, 6, 28)
let counter = 0
const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(++counter)

/** One request's authentication, as the token request would carry it. */
async function authenticate(client: Omit<PrivateKeyClient, 'issuer' | 'clientId'>): Promise<Record<string, string>> {
  const registered = privateKeyJwt({ issuer, clientId: 'c1', ...client })
  const assertion = await registered.authenticate?.(async (secret) =>
    typeof secret === 'string' ? secret : await secret(),
  )
  return { ...(await assertion?.({ issuer, now, random })) }
}

describe('private_key_jwt (RFC 7523 section 2.2)', () => {
  test('says who the client is, to the issuer alone, for five minutes', {
    tags: ['rfc7523/client-assertion', 'rfc7523/claims'],
  }, async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const { client_assertion = '', ...members } = await authenticate({ privateKey })
    expect(members).toEqual({
      client_id: 'c1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const { payload } = await jwtVerify(client_assertion, publicKey, { currentDate: new Date(now) })
    const iat = now / 1000
    expect(payload).toEqual({ iss: 'c1', sub: 'c1', aud: issuer, iat, exp: iat + 300, jti: expect.any(String) })
  })

  test('each request gets its own, so that none can be replayed', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const registered = privateKeyJwt({ issuer, clientId: 'c1', privateKey })
    const assertion = await registered.authenticate?.(async () => '')
    const made = await Promise.all(
      [1, 2].map(async () => (await assertion?.({ issuer, now, random }))?.client_assertion),
    )
    const ids = made.map(
      async (jwt = '') => (await jwtVerify(jwt, publicKey, { currentDate: new Date(now) })).payload.jti,
    )
    expect(new Set(await Promise.all(ids)).size).toBe(2)
  })

  test.each(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'])(
    'signs with %s, from PEM, from a JWK and from a CryptoKey',
    async (signingAlgorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
      const jwk = { ...(await exportJWK(privateKey)), alg: signingAlgorithm, kid: 'k1' }
      for (const given of [
        { privateKey: await exportPKCS8(privateKey), signingAlgorithm, keyId: 'k1' },
        { privateKey: JSON.stringify(jwk) },
        { privateKey: async () => JSON.stringify(jwk) },
        { privateKey, keyId: 'k1' },
      ]) {
        const { client_assertion = '' } = await authenticate(given)
        expect(decodeProtectedHeader(client_assertion)).toEqual({ alg: signingAlgorithm, kid: 'k1' })
        await jwtVerify(client_assertion, publicKey, { currentDate: new Date(now) })
      }
    },
  )

  test('a JWK on a curve needs no algorithm beside it', async () => {
    const { privateKey } = await generateKeyPair('ES384', { extractable: true })
    const { client_assertion = '' } = await authenticate({ privateKey: JSON.stringify(await exportJWK(privateKey)) })
    expect(decodeProtectedHeader(client_assertion)).toEqual({ alg: 'ES384' })
  })
})

describe('a key that cannot be used', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string =>
    key.export({ type, format: 'pem' }).toString()
  const failure = (client: Omit<PrivateKeyClient, 'issuer' | 'clientId'>): Promise<CountersignError> =>
    authenticate(client).then(
      () => expect.fail('it was used'),
      (error) => error,
    )

  test.each([
    ['PEM without an algorithm', { privateKey: pem(ec, 'pkcs8') }, /signingAlgorithm beside this key/],
    ['PEM of another algorithm', { privateKey: pem(ec, 'pkcs8'), signingAlgorithm: 'RS256' }, /a key for RS256/],
    ['PKCS#1', { privateKey: pem(rsa, 'pkcs1'), signingAlgorithm: 'RS256' }, /openssl pkcs8.*BEGIN RSA PRIVATE KEY/],
    ['SEC 1', { privateKey: pem(ec, 'sec1'), signingAlgorithm: 'ES256' }, /openssl pkcs8.*BEGIN EC PRIVATE KEY/],
    ['a symmetric algorithm', { privateKey: pem(ec, 'pkcs8'), signingAlgorithm: 'HS256' }, /asymmetric.*HS256/],
    ['no algorithm at all', { privateKey: pem(ec, 'pkcs8'), signingAlgorithm: 'none' }, /asymmetric.*none/],
    ['neither PEM nor JSON', { privateKey: '{"kty": "EC", "d": sesame-open', signingAlgorithm: 'ES256' }, /neither/],
    ['a JWK without its private half', { privateKey: '{"kty":"EC","crv":"P-256"}' }, /a key for ES256/],
    ['an RSA JWK that does not say', { privateKey: JSON.stringify(rsa.export({ format: 'jwk' })) }, /signingAlgorithm/],
  ])('%s: the error says what is wanted', async (_name, client, message) => {
    const error = await failure(client)
    expect(error).toMatchObject({ code: 'options_invalid', step: 'authenticate', action: 'fix_configuration' })
    expect(error.message).toMatch(message)
  })

  test('a CryptoKey that may not sign with the algorithm is named, and what it may do', async () => {
    const { publicKey } = await generateKeyPair('ES256')
    expect((await failure({ privateKey: publicKey })).message).toMatch(/may sign with ES256.*ECDSA, for verify/)
  })

  test('no character of a key is in what is thrown', async () => {
    const secret = 'sesame-open'
    const d = createPrivateKey(pem(ec, 'pkcs8')).export({ format: 'jwk' }).d ?? ''
    const errors = [
      await failure({ privateKey: `{"kty": "EC", "d": ${secret}` }),
      await failure({ privateKey: JSON.stringify({ kty: 'RSA', d }), signingAlgorithm: 'RS256' }),
    ]
    for (const error of errors) {
      const shown = `${error.stack}${JSON.stringify(error)}${String(error.cause)}`
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(d)
    }
  })
})
