import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../../packages/core/src/primitives/base64url.js'

describe('base64url', () => {
  test('has no padding and needs no escaping in a URL', () => {
    expect(encodeBase64url(Uint8Array.of(251, 255, 191, 0))).toBe('-_-_AA')
  })

  test.each(['', 'f', 'fo', 'foo', 'foob'])('agrees with the runtime about %j', (text) => {
    expect(encodeBase64url(new TextEncoder().encode(text))).toBe(Buffer.from(text).toString('base64url'))
  })

  test.each(['a', 'ab==', 'a+b/', 'ab c', 'abc\n', 'é'])('%j is not base64url', (text) => {
    expect(decodeBase64url(text)).toBeUndefined()
  })

  test('gives every byte back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes)
      }),
    )
  })

  test('decoding never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeBase64url(text)))
  })
})
