import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuthorizationServerMetadata } from '../../../packages/core/src/messages/authorization-server-metadata.js'
import { parseProtectedResourceMetadata } from '../../../packages/core/src/messages/protected-resource-metadata.js'
import { codesOf, mustRead } from './unwrap.js'

const invalid = (expected: unknown, received: string) => ({ invalid: { expected, received } })

describe('protected resource metadata (RFC 9728)', () => {
  const parse = (document: unknown) => parseProtectedResourceMetadata(JSON.stringify(document))
  const least = { resource: 'https://x.example', authorization_servers: ['https://as.example/'] }

  test('keeps strings as they were sent: no slash comes or goes (H02)', {
    tags: [
      'mcp/resource-canonical',
      'mcp/resource-most-specific',
      'rfc9728/ignore-unknown',
      'rfc9728/signed-metadata-ignored',
    ],
  }, () => {
    const document = { ...least, scopes_supported: ['a'], resource_name: 'Notes' }
    expect(parse({ ...document, jwks_uri: 'x' })).toEqual({ value: document, tolerated: [] })
  })

  test('may list several authorization servers (B12)', () => {
    const authorization_servers = ['https://a.example', 'https://b.example']
    expect(mustRead(parse({ ...least, authorization_servers })).authorization_servers).toEqual(authorization_servers)
  })

  test.each([undefined, null, '', 1])('needs a resource, not %j', (resource) => {
    expect(parse({ ...least, resource })).toMatchObject({ invalid: { expected: 'resource: a string' } })
  })

  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [[], 'array'],
    ['https://as.example', 'string'],
    [['https://as.example', ''], 'array'],
    [[1], 'array'],
  ])('needs authorization servers, not %j (B11)', (authorization_servers, received) => {
    expect(parse({ ...least, authorization_servers })).toEqual(
      invalid('authorization_servers: an array of issuers', received),
    )
  })

  test('empty and malformed optional members are absent', () => {
    const parsed = parse({ ...least, scopes_supported: null, resource_name: 7 })
    expect(mustRead(parsed)).toEqual(least)
    expect(codesOf(parsed)).toEqual(['null_member', 'member_invalid'])
  })

  test('is not the page that a web app answers everything with (B05)', () => {
    expect(parseProtectedResourceMetadata('<!doctype html>')).toEqual(invalid('a JSON object', 'markup'))
  })
})

describe('authorization server metadata (RFC 8414)', () => {
  const parse = (document: unknown) => parseAuthorizationServerMetadata(JSON.stringify(document))
  const least = {
    issuer: 'https://as.example/',
    authorization_endpoint: 'https://as.example/authorize',
    token_endpoint: 'https://as.example/token',
  }

  test('every member that is used', () => {
    const document = {
      ...least,
      registration_endpoint: 'https://as.example/register',
      revocation_endpoint: 'https://as.example/revoke',
      scopes_supported: ['a'],
      token_endpoint_auth_methods_supported: ['none'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    }
    expect(parse({ ...document, jwks_uri: 'x' })).toEqual({ value: document, tolerated: [] })
  })

  test('of what OpenID requires, nothing is required (C16, L5)', () => {
    expect(parse({ ...least, service_documentation: '' })).toEqual({ value: least, tolerated: [] })
  })

  test('a registration endpoint of null is none (L12)', () => {
    const parsed = parse({ ...least, registration_endpoint: null })
    expect(mustRead(parsed)).toEqual(least)
    expect(codesOf(parsed)).toEqual(['null_member'])
  })

  test('PKCE methods that are no list are not listed', () => {
    const parsed = parse({ ...least, code_challenge_methods_supported: 'S256' })
    expect(mustRead(parsed).code_challenge_methods_supported).toBeUndefined()
    expect(codesOf(parsed)).toEqual(['member_invalid'])
  })

  test('only true announces iss', () => {
    const parsed = parse({ ...least, authorization_response_iss_parameter_supported: 'true' })
    expect(mustRead(parsed).authorization_response_iss_parameter_supported).toBeUndefined()
    expect(codesOf(parsed)).toEqual(['member_invalid'])
  })

  test.each(['authorization_endpoint', 'token_endpoint'])('one endpoint is enough, %s', (name) => {
    expect(mustRead(parse({ issuer: 'https://as.example', [name]: 'https://as.example/x' })).issuer).toBe(
      'https://as.example',
    )
  })

  test('without an endpoint it is no metadata', () => {
    expect(parse({ issuer: 'https://as.example' })).toEqual(
      invalid('authorization_endpoint or token_endpoint', 'neither'),
    )
  })

  test.each([undefined, null, '', ['https://as.example']])('needs an issuer, not %j', (issuer) => {
    expect(parse({ ...least, issuer })).toMatchObject({ invalid: { expected: 'issuer: a string' } })
  })
})

test.each([parseProtectedResourceMetadata, parseAuthorizationServerMetadata])('%o never throws', (parse) => {
  const member = fc.constantFrom(
    'resource',
    'issuer',
    'authorization_servers',
    'token_endpoint',
    'scopes_supported',
    '__proto__',
  )
  const document = fc.dictionary(member, fc.jsonValue()).map((value) => JSON.stringify(value))
  fc.assert(fc.property(fc.oneof(document, fc.json(), fc.string()), (text) => void parse(text)))
})
