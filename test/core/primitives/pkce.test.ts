import { describe, expect, test } from 'vitest'
import { sha256Base64url } from '../../../packages/core/src/primitives/digest.js'
import { codeChallengeS256, createCodeVerifier } from '../../../packages/core/src/primitives/pkce.js'
import { randomId } from '../../../packages/core/src/primitives/random-id.js'

const zeros = (bytes: number) => new Uint8Array(bytes)

describe('PKCE (RFC 7636)', () => {
  test('the verifier has 32 bytes of entropy and only unreserved characters', {
    tags: ['rfc7636/verifier', 'rfc7636/entropy'],
  }, () => {
    const verifier = createCodeVerifier((bytes) => crypto.getRandomValues(new Uint8Array(bytes)))
    expect(verifier).toMatch(/^[A-Za-z0-9\-._~]{43}$/)
  })

  test('the challenge is that of appendix B', { tags: 'rfc7636/s256' }, async () => {
    const challenge = await codeChallengeS256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')
    expect(challenge).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })
})

describe('a random id', () => {
  test('has 16 bytes unless told otherwise', () => {
    expect(randomId(zeros)).toBe('A'.repeat(22))
    expect(randomId(zeros, 3)).toBe('AAAA')
  })
})

test('a digest is of the UTF-8 bytes', async () => {
  expect(await sha256Base64url('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
  expect(await sha256Base64url('é')).not.toBe(await sha256Base64url('e'))
})
