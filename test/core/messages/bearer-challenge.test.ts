import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBearerChallenge } from '../../../packages/core/src/messages/bearer-challenge.js'
import { codesOf } from './unwrap.js'

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'

describe('the challenge of a protected resource', { tags: 'mcp-discovery/parse-challenge' }, () => {
  test('says where its metadata is, which scope is needed, and what was wrong (RFC 9728 section 5.1)', () => {
    const header = `Bearer realm="x", error="invalid_token", error_description="expired", scope="a b", resource_metadata="${metadata}"`
    expect(readBearerChallenge(header)).toEqual({
      resource_metadata: [metadata],
      scope: 'a b',
      error: 'invalid_token',
      error_description: 'expired',
      tolerated: [],
    })
  })

  test.each(['Bearer error="invalid_token"', 'Bearer realm="OAuth"', 'Bearer', 'bearer'])(
    'may leave the metadata to the well-known places: %s (A02)',
    (header) => {
      expect(readBearerChallenge(header)).toMatchObject({ resource_metadata: [], tolerated: [] })
    },
  )

  test.each(['web+https://mcp.example/prm', 'file:///prm', 'mcp.example/prm'])(
    '%s is no address of metadata',
    (url) => {
      const { resource_metadata } = readBearerChallenge(`Bearer resource_metadata="${url}"`)
      expect(resource_metadata).toEqual([])
    },
  )

  test.each([
    [null, 'nothing'],
    ['', 'nothing'],
    ['Basic realm="x", Negotiate', 'Basic, Negotiate'],
  ])('may be missing: %j (A01)', (header, received) => {
    const challenge = readBearerChallenge(header)
    expect(challenge).toMatchObject({ resource_metadata: [] })
    expect(challenge.tolerated).toEqual([{ code: 'challenge_missing', expected: expect.any(String), received }])
  })

  test('is found among others, in any case (A04)', () => {
    const header = `Negotiate, Basic realm="Bearer", BEARER resource_metadata="${metadata}"`
    expect(readBearerChallenge(header)).toMatchObject({
      resource_metadata: [metadata],
      tolerated: [],
    })
  })

  test('of another scheme is not read', () => {
    const header = `Basic scope="admin", resource_metadata="https://evil.example/", Bearer scope="a"`
    expect(readBearerChallenge(header)).toEqual({ resource_metadata: [], scope: 'a', tolerated: [] })
  })

  test('may be DPoP alone (RFC 9449 section 7.1)', () => {
    const header = `DPoP algs="ES256", error="use_dpop_nonce", resource_metadata="${metadata}"`
    expect(readBearerChallenge(header)).toMatchObject({
      resource_metadata: [metadata],
      error: 'use_dpop_nonce',
      dpop: 'required',
    })
  })

  test('is Bearer where both are offered; the metadata may stand in either', () => {
    const header = `DPoP algs="ES256", error="x", resource_metadata="${metadata}", Bearer realm="x"`
    expect(readBearerChallenge(header)).toEqual({ resource_metadata: [metadata], dpop: 'offered', tolerated: [] })
  })

  test('with one parameter twice gives every distinct URL, and says so (A03)', () => {
    const first = 'https://mcp.sentry.dev/.well-known/oauth-protected-resource'
    const header = `Bearer resource_metadata="${first}", error="invalid_token", resource_metadata="${first}/mcp", resource_metadata="${first}"`
    const challenge = readBearerChallenge(header)
    expect(challenge.resource_metadata).toEqual([first, `${first}/mcp`])
    expect(codesOf(challenge)).toEqual(['challenge_parameter_repeated'])
  })

  test('in several Bearer challenges is read as one', () => {
    const header = `Bearer realm="x", scope="a", Bearer resource_metadata="${metadata}", scope="b"`
    expect(readBearerChallenge(header)).toMatchObject({ scope: 'a', resource_metadata: [metadata], tolerated: [] })
  })

  test.each([`Bearer resource_metadata = "${metadata}"`, `Bearer realm="a, b",\r\n resource_metadata="${metadata}"`])(
    'in any lawful spelling: %j (A05)',
    (header) => {
      expect(readBearerChallenge(header)).toMatchObject({ resource_metadata: [metadata], tolerated: [] })
    },
  )

  test.each([
    `Bearer resource_metadata='${metadata}'`,
    `Bearer resource_metadata=${metadata}`,
    `Bearer resource_metadata="${metadata}`,
  ])('in an unlawful spelling is read and noted: %j (A05)', (header) => {
    const challenge = readBearerChallenge(header)
    expect(challenge.resource_metadata).toEqual([metadata])
    expect(codesOf(challenge)).toEqual(['challenge_invalid'])
  })

  test('does not take text in quotes for parameters (A06)', () => {
    const header =
      'Bearer error_description="needs scope=admin, resource_metadata=https://evil.example/", not_scope="x"'
    const challenge = readBearerChallenge(header)
    expect(challenge.scope).toBeUndefined()
    expect(challenge.resource_metadata).toEqual([])
  })

  test('under another name is not the metadata (A10)', () => {
    expect(readBearerChallenge(`Bearer resource="${metadata}"`).resource_metadata).toEqual([])
  })

  test.each([
    '/.well-known/oauth-protected-resource',
    'example.com/mcp',
    'localhost:3000/mcp',
    'javascript:alert(1)',
    'x',
  ])('counts a URL that is not absolute http(s) as absent, with a diagnostic: %s (A11)', (url) => {
    const challenge = readBearerChallenge(`Bearer resource_metadata="${url}"`)
    expect(challenge.resource_metadata).toEqual([])
    expect(codesOf(challenge)).toEqual(['resource_metadata_url_invalid'])
  })

  test('a diagnostic has no query in it: queries carry secrets', () => {
    const challenge = readBearerChallenge('Bearer resource_metadata="ftp://x.example/a?key=secret"')
    expect(JSON.stringify(challenge.tolerated)).not.toContain('secret')
  })

  test('an empty scope is none', () => {
    expect(readBearerChallenge('Bearer scope="", error=""')).toEqual({
      resource_metadata: [],
      tolerated: [],
    })
  })

  test('reading never throws, and gives absolute http(s) URLs only', () => {
    const fragment = fc.constantFrom(
      'Bearer ',
      'DPoP ',
      ', ',
      'resource_metadata=',
      '"',
      "'",
      'https://x/',
      'ftp://x',
      ' ',
      'a',
    )
    const header = fc.oneof(
      fc.string(),
      fc.array(fragment).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(header, (value) => {
        for (const url of readBearerChallenge(value).resource_metadata) {
          expect(new URL(url).protocol).toMatch(/^https?:$/)
        }
      }),
      { numRuns: 500 },
    )
  })
})
