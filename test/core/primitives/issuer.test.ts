import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareIssuer } from '../../../packages/core/src/primitives/issuer.js'

describe('comparing issuers (RFC 8414 section 3.3)', () => {
  test('the same string is identical, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (issuer) => {
        expect(compareIssuer(issuer, issuer)).toBe('identical')
      }),
    )
  })

  test.each([
    ['https://accounts.google.com/', 'https://accounts.google.com'],
    ['https://tenant.example', 'https://tenant.example/'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000/'],
  ])('%s and %s differ by a root slash (C02)', (a, b) => {
    expect(compareIssuer(a, b)).toBe('root_slash')
  })

  test.each([
    ['https://as.example/oauth2/', 'https://as.example/oauth2', 'a slash after a path (C03)'],
    ['https://as.example', 'https://as.example//', 'two slashes'],
    ['https://as.example', 'https://AS.example', 'the case of the host'],
    ['https://as.example', 'https://as.example:443', 'a default port'],
    ['https://as.example', 'http://as.example', 'the scheme'],
    ['https://as.example?a', 'https://as.example?a/', 'a query'],
    ['https://as.example/.evil.example', 'https://as.example.evil.example', 'a slash in the middle'],
    ['web+https://as.example/', 'web+https://as.example', 'another scheme'],
    ['https://auth.atlassian.com/1', 'https://auth.atlassian.com', 'a path that is dropped (C04)'],
    ['', '/', 'no URL'],
  ])('%s and %s are different: %s', { tags: ['mcp-discovery/another-issuer', 'rfc8414/another-issuer'] }, (a, b) => {
    expect(compareIssuer(a, b)).toBe('different')
  })

  test('letters that only look the same are different', { tags: 'rfc8414/not-normalized' }, () => {
    expect(compareIssuer('https://as.example/\u00e9', 'https://as.example/e\u0301')).toBe('different')
  })

  test('the order does not matter', () => {
    const issuer = fc.constantFrom('https://a', 'https://a/', 'https://a/b', 'https://a/b/', 'a', '')
    fc.assert(
      fc.property(issuer, issuer, (a, b) => {
        expect(compareIssuer(a, b)).toBe(compareIssuer(b, a))
      }),
    )
  })
})
