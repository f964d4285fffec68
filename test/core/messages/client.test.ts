import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyClientAuthentication,
  chooseAuthMethod,
} from '../../../packages/core/src/messages/client-authentication.js'
import { type Client, parseClientInformation } from '../../../packages/core/src/messages/client-information.js'
import { applicationType, buildClientMetadata } from '../../../packages/core/src/messages/client-metadata.js'
import { codesOf, mustRead } from './unwrap.js'

describe('client metadata (RFC 7591 section 2)', () => {
  const least = {
    redirect_uris: ['http://127.0.0.1:33418/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  } as const

  test('is what was asked, and what is absent is not in it (D08, D13)', () => {
    expect(JSON.parse(buildClientMetadata(least))).toEqual({ ...least, response_types: ['code'] })
    const more = {
      client_name: 'My agent',
      client_uri: 'https://a.example',
      logo_uri: 'https://a.example/l',
      scope: 'a b',
    }
    expect(JSON.parse(buildClientMetadata({ ...least, ...more }))).toEqual({
      ...least,
      ...more,
      response_types: ['code'],
    })
  })

  test('nothing else goes in, whatever the object holds', () => {
    const wide = { ...least, resource: 'https://x.example', client_secret: 'secret' }
    expect(buildClientMetadata(wide)).not.toMatch(/resource|secret/)
  })

  test('without redirect URIs there is no response type, which would mean code by default', () => {
    const metadata = JSON.parse(buildClientMetadata({ ...least, redirect_uris: [] }))
    expect(metadata).toMatchObject({ redirect_uris: [], response_types: [] })
  })

  test.each([
    [['http://127.0.0.1:1/callback'], 'native'],
    [['http://localhost/callback'], 'native'],
    [['http://[::1]:1/callback'], 'native'],
    [['com.example.agent:/callback'], 'native'],
    [['https://app.example.com/callback'], 'web'],
    [['https://app.example.com/callback', 'http://localhost:5173/callback'], 'native'],
    [['http://app.example.com/callback'], 'web'],
    [[], 'native'],
  ])(
    '%j is a %s application',
    { tags: ['mcp-registration/application-type-native', 'mcp-registration/application-type-web'] },
    (redirect_uris, type) => {
      expect(applicationType(redirect_uris)).toBe(type)
    },
  )
})

describe('client information (RFC 7591 section 3.2.1)', () => {
  const parse = (document: unknown) => parseClientInformation(JSON.stringify(document))

  test('the answer counts: secret, method and redirect URIs may differ from what was asked (D05, L17, L20)', () => {
    const information = {
      client_id: 'c1',
      client_secret: 's1',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['https://a.example/cb'],
      scope: 'a',
    }
    expect(parse({ ...information, client_name: 'x' })).toEqual({ value: information, tolerated: [] })
  })

  test('the expiry of the secret becomes milliseconds (D21)', () => {
    const value = mustRead(parse({ client_id: 'c1', client_secret: 's1', client_secret_expires_at: 1_800_000_000 }))
    expect(value.client_secret_expires_at).toBe(1_800_000_000_000)
  })

  test.each([0, undefined, null, '0', -1])('an expiry of %j is never', (client_secret_expires_at) => {
    const value = mustRead(parse({ client_id: 'c1', client_secret: 's1', client_secret_expires_at }))
    expect(value).toEqual({ client_id: 'c1', client_secret: 's1' })
  })

  test('an expiry without a secret says nothing', () => {
    expect(mustRead(parse({ client_id: 'c1', client_secret_expires_at: 1 }))).toEqual({ client_id: 'c1' })
  })

  test('nulls and empty strings are absent (D04)', () => {
    const parsed = parse({
      client_id: 'c1',
      client_secret: '',
      token_endpoint_auth_method: '',
      redirect_uris: null,
      contacts: null,
      client_uri: '',
    })
    expect(mustRead(parsed)).toEqual({ client_id: 'c1' })
    expect(codesOf(parsed)).toEqual(['null_member', 'null_member', 'null_member'])
  })

  test.each([undefined, null, '', 1])('needs a client_id, not %j', (client_id) => {
    expect(parse({ client_id, client_secret: 'secret' })).toMatchObject({
      invalid: { expected: 'client_id: a string', received: expect.not.stringContaining('secret') },
    })
  })

  test('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void parseClientInformation(text)))
  })
})

describe('client authentication (RFC 6749 section 2.3.1)', () => {
  const apply = (client: Partial<Client>) => {
    const headers: Record<string, string> = {}
    const body = new URLSearchParams()
    const known = applyClientAuthentication(
      { client_id: 'c1', token_endpoint_auth_method: 'none', origin: 'dynamic', ...client },
      headers,
      body,
    )
    return { known, authorization: headers.authorization ?? null, body: Object.fromEntries(body) }
  }
  const basic = (client_id: string, client_secret: string) => {
    const { authorization } = apply({ client_id, client_secret, token_endpoint_auth_method: 'client_secret_basic' })
    return atob(authorization?.replace(/^Basic /, '') ?? '')
  }

  test('none: the client_id alone, even where there is a secret', { tags: 'rfc6749/client-authenticated' }, () => {
    expect(apply({ client_secret: 's1' })).toEqual({ known: true, authorization: null, body: { client_id: 'c1' } })
  })

  test('client_secret_post: in the body alone (D08)', {
    tags: ['rfc6749/one-authentication', 'rfc6749/client-authenticated'],
  }, () => {
    expect(apply({ client_secret: 's1', token_endpoint_auth_method: 'client_secret_post' })).toEqual({
      known: true,
      authorization: null,
      body: { client_id: 'c1', client_secret: 's1' },
    })
  })

  test('client_secret_basic: in the header alone (D08)', {
    tags: ['rfc6749/one-authentication', 'rfc6749/client-authenticated'],
  }, () => {
    expect(apply({ client_secret: 's1', token_endpoint_auth_method: 'client_secret_basic' })).toEqual({
      known: true,
      authorization: `Basic ${btoa('c1:s1')}`,
      body: {},
    })
  })

  test('id and secret are form-encoded first, so that a colon or plus in them survives (F15)', () => {
    expect(basic('a:b', 'c+d %')).toBe('a%3Ab:c%2Bd+%25')
    expect(basic('é', '€')).toBe('%C3%A9:%E2%82%AC')
  })

  test('what may stay as it is does: many servers do not decode', () => {
    const unreserved = "aZ09-_.~!*'()"
    expect(basic(unreserved, unreserved)).toBe(`${unreserved}:${unreserved}`)
  })

  test('a server that decodes gets back what it issued, never encoded more than a form is', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 })
    const decode = (value = '') => new URLSearchParams(`=${value}`).get('')
    fc.assert(
      fc.property(text, text, (id, secret) => {
        const [first, second, ...more] = basic(id, secret).split(':')
        expect([decode(first), decode(second), more]).toEqual([id, secret, []])
        expect(second?.length).toBeLessThan(new URLSearchParams([['', secret]]).toString().length)
      }),
    )
  })

  test('never throws, whatever a server issued', () => {
    expect(() => basic('\ud800', '\udfff')).not.toThrow()
  })

  test.each(['private_key_jwt', 'tls_client_auth', ''])('a method that is not known adds nothing: %j', (method) => {
    expect(apply({ client_secret: 's1', token_endpoint_auth_method: method })).toEqual({
      known: false,
      authorization: null,
      body: {},
    })
  })

  test.each(['client_secret_basic', 'client_secret_post'])('%s without its secret adds nothing', (method) => {
    expect(apply({ token_endpoint_auth_method: method })).toEqual({ known: false, authorization: null, body: {} })
  })
})

describe('choosing a method (RFC 8414 section 2)', () => {
  test.each([
    [undefined, false, 'none'],
    [['none'], false, 'none'],
    [['client_secret_post', 'none'], false, 'none'],
    [['client_secret_basic'], false, undefined],
    [undefined, true, 'client_secret_basic'],
    [['client_secret_post', 'client_secret_basic'], true, 'client_secret_basic'],
    [['none', 'client_secret_post'], true, 'client_secret_post'],
    [['none'], true, 'none'],
    [['private_key_jwt'], true, undefined],
  ])('%j, with a secret %j: %s (D07)', (supported, hasSecret, method) => {
    expect(chooseAuthMethod(supported, hasSecret)).toBe(method)
  })
})
