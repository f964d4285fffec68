import type { Diagnostic } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { createHttp } from '../../../packages/core/src/http/http.js'
import { revoke } from '../../../packages/core/src/steps/revoke.js'
import { recordingFetch } from '../../support/sent.js'
import { simulatedClock } from '../../support/simulated-clock.js'
import { client, target as own } from '../flow/login-fixtures.js'

const target = { ...own, revocation_endpoint: 'https://as.example/revoke' }

function world(answer: () => Promise<Response>) {
  const diagnostics: Diagnostic[] = []
  const { fetch, sent } = recordingFetch(answer)
  const clock = simulatedClock()
  const http = createHttp({
    fetch,
    clock,
    timeoutMs: 1_000,
    serverUrl: target.resource,
    allowPrivate: undefined,
    trace: () => undefined,
  })
  const random = (bytes: number): Uint8Array => new Uint8Array(bytes)
  const diagnose = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic)
  const proofs = (): never => expect.unreachable('no key')
  return { context: { http, clock, random, strict: false, diagnose, proofs }, diagnostics, sent }
}

describe('revoking a token (RFC 7009)', () => {
  test('sends the token, what it is, and who asks', { tags: ['rfc7009/hint', 'rfc7009/authenticated'] }, async () => {
    const { context, sent, diagnostics } = world(async () => new Response())
    expect(await revoke(context, target, client, 'r1', 'refresh_token')).toBe(true)
    expect(sent).toMatchObject([{ method: 'POST', url: new URL(target.revocation_endpoint) }])
    expect(Object.fromEntries(new URLSearchParams(sent[0]?.body))).toEqual({
      token: 'r1',
      token_type_hint: 'refresh_token',
      client_id: 'c',
    })
    expect(diagnostics).toEqual([])
  })

  test('authenticates a client that has a secret', { tags: 'rfc7009/authenticated' }, async () => {
    const { context, sent } = world(async () => new Response())
    const confidential = { ...client, client_secret: 's', token_endpoint_auth_method: 'client_secret_basic' }
    await revoke(context, target, confidential, 'r1', 'refresh_token')
    expect(sent[0]?.headers.get('authorization')).toBe(`Basic ${btoa('c:s')}`)
  })

  test('sends nothing in cleartext', { tags: 'rfc7009/https' }, async () => {
    const { context, sent, diagnostics } = world(async () => new Response())
    const cleartext = { ...target, revocation_endpoint: 'http://as.example/revoke' }
    expect(await revoke(context, cleartext, client, 'r1', 'refresh_token')).toBe(false)
    expect(sent).toEqual([])
    expect(diagnostics).toMatchObject([
      { code: 'revocation_failed', received: expect.stringMatching(/^url_not_allowed/) },
    ])
  })

  test('where there is nowhere to: said, and there is nothing left to try', async () => {
    const { context, sent, diagnostics } = world(async () => expect.unreachable('nothing may be sent'))
    expect(await revoke(context, own, client, 'r1', 'refresh_token')).toBe(true)
    expect(sent).toEqual([])
    expect(diagnostics).toMatchObject([{ code: 'revocation_unsupported', url: own.issuer }])
  })

  test.each<[string, () => Promise<Response>, boolean, string]>([
    ['500', async () => new Response(null, { status: 500 }), false, 'revocation_failed'],
    ['503', async () => new Response(null, { status: 503 }), false, 'revocation_failed'],
    ['400', async () => Response.json({ error: 'invalid_client' }, { status: 400 }), false, 'revocation_failed'],
    [
      'unsupported_token_type',
      async () => Response.json({ error: 'unsupported_token_type' }, { status: 400 }),
      true,
      'access_token_not_revoked',
    ],
    [
      'a redirect',
      async () => new Response(null, { status: 302, headers: { location: '/' } }),
      false,
      'revocation_failed',
    ],
    ['no connection', () => Promise.reject(new TypeError('fetch failed')), false, 'revocation_failed'],
  ])(
    '%s: a diagnostic, and whether to try again',
    { tags: 'rfc7009/still-there-on-503' },
    async (_name, answer, over, code) => {
      const { context, diagnostics } = world(answer)
      expect(await revoke(context, target, client, 'a1', 'access_token')).toBe(over)
      expect(diagnostics).toMatchObject([
        { code, url: target.revocation_endpoint, expected: 'the access_token revoked' },
      ])
      expect(JSON.stringify(diagnostics)).not.toContain('a1')
    },
  )
})
