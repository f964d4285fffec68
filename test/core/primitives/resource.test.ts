import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchResource } from '../../../packages/core/src/primitives/resource.js'

describe('whether a resource stands for a server (RFC 9728 section 3.3)', () => {
  test.each([
    ['https://x.example/mcp', 'https://x.example/mcp', 'identical', 'the same URL'],
    ['https://x.example/', 'https://x.example', 'identical', 'an empty path is the root'],
    ['https://x.example/mcp', 'HTTPS://X.example/mcp', 'identical', 'scheme and host have no case'],
    ['https://x.example/mcp?toolsets=a', 'https://x.example/mcp', 'identical', 'the query of the server (B10)'],
    ['https://x.example/mcp?t=a', 'https://x.example/mcp?t=a', 'identical', 'a query on both sides'],
    ['https://x.example/mcp', 'https://x.example/mcp/', 'trailing_slash', 'one slash more (L30)'],
    ['https://x.example/mcp/', 'https://x.example/mcp', 'trailing_slash', 'one slash less'],
    ['https://x.example/mcp/oauth', 'https://x.example/mcp', 'prefix', 'the parent path (B09)'],
    ['https://x.example/mcp/oauth', 'https://x.example/mcp/', 'prefix', 'the parent path with a slash'],
    ['https://x.example/mcp', 'https://x.example', 'prefix', 'the bare origin'],
    ['https://x.example/mcp', 'https://x.example/', 'prefix', 'the bare origin with a slash'],
    ['https://x.example/mcp', 'https://x.example/mc', 'different', 'half a segment'],
    ['https://x.example/mcp', 'https://x.example/sse', 'different', 'a sibling'],
    ['https://x.example/mcp', 'https://x.example/mcp/v1', 'different', 'a child'],
    ['https://x.example/mcp', 'https://x.example/mcp?t=a', 'different', 'a query that the server does not have'],
    ['https://x.example/mcp?t=a', 'https://x.example/mcp?t=b', 'different', 'another query'],
    ['https://x.example/mcp', 'https://x.example/mcp#a', 'different', 'a fragment'],
    ['https://x.example/mcp', 'https://evil.example/mcp', 'different', 'another host (A08)'],
    ['https://x.example/mcp', 'https://x.example.evil.example/mcp', 'different', 'a host that begins the same'],
    ['https://x.example/mcp', 'https://x.example@evil.example/mcp', 'different', 'user information'],
    ['https://x.example/mcp', 'https://a@x.example/mcp', 'different', 'user information on the right host'],
    ['https://x.example/mcp', 'http://x.example/mcp', 'different', 'the scheme (A09)'],
    ['https://x.example/mcp', 'https://x.example:8443/mcp', 'different', 'the port'],
    ['https://x.example/mcp', 'x.example/mcp', 'different', 'no URL'],
    ['https://x.example/mcp', '', 'different', 'nothing'],
    ['https://x.example/a/../mcp', 'https://x.example/a', 'different', 'dot segments are resolved first'],
  ])(
    '%s, %s: %s (%s)',
    {
      tags: [
        'rfc9728/another-resource',
        'mcp/resource-is-the-server',
        'mcp/resource-upper-case',
        'rfc8707/absolute',
        'rfc8707/no-query',
      ],
    },
    (serverUrl, resource, match) => {
      expect(matchResource(serverUrl, resource)).toBe(match)
    },
  )

  test('letters that only look the same are different', { tags: 'rfc9728/not-normalized' }, () => {
    expect(matchResource('https://x.example/\u00e9', 'https://x.example/e\u0301')).toBe('different')
  })

  test('never throws, and anything but different is on the same origin', () => {
    const url = fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string(), fc.constant('https://x.example/a/b'))
    fc.assert(
      fc.property(url, url, (serverUrl, resource) => {
        if (matchResource(serverUrl, resource) === 'different') return
        expect(new URL(resource).origin).toBe(new URL(serverUrl).origin)
      }),
    )
  })
})
