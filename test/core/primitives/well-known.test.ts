import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  authorizationServerMetadataUrls,
  protectedResourceMetadataUrls,
} from '../../../packages/core/src/primitives/well-known.js'

describe('protected resource metadata (RFC 9728 section 3.1)', () => {
  test('is looked for at the path, then at the root (B01, B02)', { tags: 'mcp-discovery/well-known-order' }, () => {
    expect(protectedResourceMetadataUrls('https://x.example/public/mcp')).toEqual([
      'https://x.example/.well-known/oauth-protected-resource/public/mcp',
      'https://x.example/.well-known/oauth-protected-resource',
    ])
  })

  test.each(['https://x.example', 'https://x.example/', 'https://x.example/?key=1'])(
    'of %s has one place',
    { tags: 'rfc9728/slash-removed' },
    (url) => {
      expect(protectedResourceMetadataUrls(url)).toEqual(['https://x.example/.well-known/oauth-protected-resource'])
    },
  )

  test('the query of the server stays at home: it may hold a key (B10)', () => {
    expect(protectedResourceMetadataUrls('https://x.example/mcp?key=secret')[0]).toBe(
      'https://x.example/.well-known/oauth-protected-resource/mcp',
    )
  })

  test('a slash that ends the path belongs to the path', () => {
    expect(protectedResourceMetadataUrls('https://x.example/mcp/')[0]).toBe(
      'https://x.example/.well-known/oauth-protected-resource/mcp/',
    )
  })
})

describe('authorization server metadata (RFC 8414 section 3.1)', () => {
  test('of an issuer with a path: inserted, inserted for OpenID, appended for OpenID (L4)', {
    tags: ['mcp-discovery/order-with-path', 'mcp-discovery/several-endpoints'],
  }, () => {
    expect(authorizationServerMetadataUrls('https://as.example/tenant1')).toEqual([
      'https://as.example/.well-known/oauth-authorization-server/tenant1',
      'https://as.example/.well-known/openid-configuration/tenant1',
      'https://as.example/tenant1/.well-known/openid-configuration',
    ])
  })

  test.each(['https://as.example', 'https://as.example/'])(
    'of %s: OAuth, then OpenID',
    { tags: ['mcp-discovery/order-without-path', 'mcp-discovery/several-endpoints'] },
    (issuer) => {
      expect(authorizationServerMetadataUrls(issuer)).toEqual([
        'https://as.example/.well-known/oauth-authorization-server',
        'https://as.example/.well-known/openid-configuration',
      ])
    },
  )

  test('a slash that ends the issuer is removed first (C14)', { tags: 'rfc8414/slash-removed' }, () => {
    expect(authorizationServerMetadataUrls('https://as.example/oauth2/')).toEqual(
      authorizationServerMetadataUrls('https://as.example/oauth2'),
    )
  })
})

test.each([protectedResourceMetadataUrls, authorizationServerMetadataUrls])(
  '%o: every place is on the same origin, without query, and anything that is no http(s) URL has none',
  (places) => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string()), (url) => {
        for (const place of places(url)) {
          expect(new URL(place).origin).toBe(new URL(url).origin)
          expect(place).toContain('/.well-known/')
          expect(place).not.toMatch(/[?#]/)
        }
        expect(places(url).length > 0).toBe(URL.canParse(url) && new URL(url).protocol.startsWith('http'))
      }),
    )
  },
)
