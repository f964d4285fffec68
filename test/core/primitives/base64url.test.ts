import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBase64url } from '../../../packages/core/src/primitives/base64url.js'

describe('base64url', () => {
  test('has no padding and needs no escaping in a URL', () => {
    expect(encodeBase64url(Uint8Array.of(251, 255, 191, 0))).toBe('-_-_AA')
  })

  test.each(['', 'f', 'fo', 'foo', 'foob'])('agrees with the runtime about %j', (text) => {
    expect(encodeBase64url(new TextEncoder().encode(text))).toBe(Buffer.from(text).toString('base64url'))
  })

  test('gives every byte back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Uint8Array.from(Buffer.from(encodeBase64url(bytes), 'base64url'))).toEqual(bytes)
      }),
    )
  })
})
