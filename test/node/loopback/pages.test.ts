import { CountersignError, type ErrorCode } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import {
  escapeHtml,
  failurePage,
  noticePage,
  PAGE_HEADERS,
  successPage,
} from '../../../packages/node/src/loopback/pages.js'

const EVIL = `"><script>alert('x')</script><img src=x onerror=alert(1)>\`&`

/** Every tag of a page, so that one that does not belong shows. */
const tags = (html: string): string[] => [...new Set([...html.matchAll(/<([a-z!]\w*)/gi)].map(([, name]) => name!))]
const OURS = [
  '!doctype',
  'html',
  'head',
  'meta',
  'title',
  'style',
  'body',
  'main',
  'svg',
  'circle',
  'path',
  'h1',
  'p',
  'strong',
]

function expectHarmless(html: string): void {
  for (const tag of tags(html)) expect(OURS).toContain(tag)
  expect(html).not.toMatch(/<[^>]+\s(on\w+|src|href|style)=/i)
  expect(html).not.toMatch(/url\(|@import/)
}

const failure = (code: ErrorCode): CountersignError =>
  new CountersignError(code, {
    step: 'exchange',
    url: 'https://as.example/token',
    received: EVIL,
    oauth: { error: 'invalid_grant', error_description: EVIL },
  })

describe('pages', () => {
  it('name the server that was signed in to', () => {
    const html = successPage({ server: 'mcp.example.com:8443', url: 'https://mcp.example.com:8443/mcp' })
    expect(html).toContain('mcp.example.com:8443')
    expect(html).toContain('close this window')
    expectHarmless(html)
  })

  it('say why a login failed and what to do', () => {
    const html = failurePage(failure('token_request_rejected'))
    expect(html).toContain('token request rejected')
    expect(html).toContain('Sign in again.')
    expect(html).toContain('invalid_grant')
    expectHarmless(html)
  })

  it('escape everything that comes from outside', () => {
    for (const html of [successPage({ server: EVIL, url: EVIL }), failurePage(failure('authorization_rejected'))]) {
      expect(html).not.toContain('<script')
      expect(html).not.toContain('<img')
      expect(html).toContain('&#60;script')
      expectHarmless(html)
    }
    expect(escapeHtml(`<>&"'\``)).toBe('&#60;&#62;&#38;&#34;&#39;&#96;')
  })

  it.each([
    'issuer_mismatch',
    'state_mismatch',
    'login_not_found',
    'account_mismatch',
    'authorization_response_invalid',
  ] as const)(
    'repeat nothing of a response that is not trusted: %s',
    { tags: ['mcp/iss-of-errors', 'rfc9207/mismatched-error'] },
    (code) => {
      const html = failurePage(failure(code), { failure: (error) => `host page ${error.message}` })
      expect(html).not.toMatch(/alert|invalid_grant|as\.example|host page/)
      expectHarmless(html)
    },
  )

  it("may be the host's own", () => {
    const pages = {
      success: ({ server }: { server: string }) => `in at ${server}`,
      failure: (e: CountersignError) => e.code,
    }
    expect(successPage({ server: 'mcp.example', url: 'https://mcp.example/' }, pages)).toBe('in at mcp.example')
    expect(failurePage(failure('access_denied'), pages)).toBe('access_denied')
    expect(failurePage(failure('access_denied'), {})).toContain('Sign-in not completed')
  })

  it.each(['unrecognised', 'answered', 'not_found'] as const)('have a notice: %s', (kind) => {
    expectHarmless(noticePage(kind))
  })

  it('allow no script, no frame, and leave no trace of their address', {
    tags: 'mcp-practices/content-security-policy',
  }, () => {
    const policy = PAGE_HEADERS['Content-Security-Policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('script-src')
    expect(policy).toContain("frame-ancestors 'none'")
    expect(PAGE_HEADERS['Referrer-Policy']).toBe('no-referrer')
  })
})
