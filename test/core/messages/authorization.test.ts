import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AuthorizationRequest,
  authorizationParameters,
  buildAuthorizationUrl,
} from '../../../packages/core/src/messages/authorization-request.js'
import {
  callbackParameters,
  checkIssuer,
  readAuthorizationResponse,
} from '../../../packages/core/src/messages/authorization-response.js'
import { mustRead } from './unwrap.js'

describe('the authorization request', () => {
  const request = {
    authorization_endpoint: 'https://as.example/authorize',
    client_id: 'c1',
    redirect_uri: 'http://127.0.0.1:33418/callback',
    state: 's1',
    code_challenge: 'challenge',
  }
  const own = {
    client_id: 'c1',
    redirect_uri: 'http://127.0.0.1:33418/callback',
    state: 's1',
    code_challenge: 'challenge',
    response_type: 'code',
    code_challenge_method: 'S256',
  }
  const build = (more: Partial<AuthorizationRequest> & { readonly authorization_endpoint?: string }) => {
    const { authorization_endpoint, ...all } = { ...request, ...more }
    const url = new URL(buildAuthorizationUrl(authorization_endpoint, authorizationParameters(all)))
    return Object.fromEntries(url.searchParams)
  }

  test('asks for a code with PKCE (RFC 7636 section 4.3)', {
    tags: ['mcp-security/pkce', 'mcp-security/s256', 'rfc7636/s256', 'rfc7636/no-downgrade'],
  }, () => {
    expect(build({})).toEqual(own)
  })

  test('carries resource, scope and login_hint where they are known', () => {
    const more = { resource: 'https://mcp.example.com', scope: 'a b', login_hint: 'ann@example.com' }
    expect(build(more)).toEqual({ ...own, ...more })
  })

  test.each(['https://mcp.example.com', 'https://mcp.example.com/', 'https://MCP.example.com/a%20b'])(
    'sends the resource %s as it is (H02, RFC 8707 section 2)',
    { tags: 'mcp/resource-canonical' },
    (resource) => {
      expect(build({ resource }).resource).toBe(resource)
    },
  )

  test('leaves out what is empty', () => {
    expect(build({ scope: '', resource: undefined, login_hint: '' })).toEqual(own)
  })

  test("keeps the endpoint's own query (RFC 6749 section 3.1)", { tags: 'rfc6749/endpoint-query' }, () => {
    const authorization_endpoint = 'https://as.example/authorize?tenant=t1&client_id=other'
    expect(build({ authorization_endpoint })).toEqual({ ...own, tenant: 't1' })
  })

  test('takes further parameters (E03, F19)', () => {
    expect(build({ parameters: { access_type: 'offline', audience: 'x' } })).toEqual({
      ...own,
      access_type: 'offline',
      audience: 'x',
    })
  })

  test("further parameters never replace the protocol's own", { tags: 'rfc6749/parameters-once' }, () => {
    const given = { ...own, resource: 'https://mcp.example.com', scope: 'a' }
    const name = fc.oneof(fc.constantFrom(...Object.keys(given)), fc.string({ minLength: 1 }))
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), (parameters) => {
        expect(build({ resource: given.resource, scope: given.scope, parameters })).toMatchObject(given)
      }),
    )
  })

  test('has nothing in it but what is named: a verifier stays at home', () => {
    const more = Object.assign({}, request, { code_verifier: 'secret' })
    expect(JSON.stringify(authorizationParameters(more))).not.toContain('secret')
  })
})

describe('the parameters of a callback', () => {
  test.each([
    'http://127.0.0.1:33418/callback?code=c%201&state=s',
    ' http://127.0.0.1:33418/callback?code=c%201&state=s#code=evil\n',
    'com.example.agent:/callback?code=c%201&state=s',
    '127.0.0.1:33418/callback?code=c%201&state=s',
    'localhost:33418/callback?code=c%201&state=s',
    '/callback?code=c%201&state=s#code=evil',
    '?code=c%201&state=s',
    'code=c+1&state=s',
    new URL('http://127.0.0.1/?code=c%201&state=s#code=evil'),
    new URLSearchParams({ code: 'c 1', state: 's' }),
  ])('%s (L38)', (callback) => {
    expect(Object.fromEntries(callbackParameters(callback))).toEqual({ code: 'c 1', state: 's' })
  })

  test('a question mark inside a bare query does not cut it', () => {
    expect(Object.fromEntries(callbackParameters('state=a?b&code=c'))).toEqual({ state: 'a?b', code: 'c' })
  })

  test.each(['', '#code=evil', 'http://127.0.0.1/callback#code=evil', 'evil'])('%j has no code', (callback) => {
    expect(callbackParameters(callback).get('code')).toBeNull()
  })

  test('reading never throws', () => {
    fc.assert(fc.property(fc.string(), (callback) => void readAuthorizationResponse(callbackParameters(callback))))
  })
})

describe('the authorization response', () => {
  const read = (query: string) => readAuthorizationResponse(new URLSearchParams(query))

  test('of success and of failure', { tags: ['rfc6749/ignore-unknown-response', 'rfc9207/decoded'] }, () => {
    expect(mustRead(read('code=c&state=s&iss=https%3A%2F%2Fas.example&more=x'))).toEqual({
      code: 'c',
      state: 's',
      iss: 'https://as.example',
    })
    expect(mustRead(read('error=invalid_scope&error_description=no&state=s'))).toEqual({
      error: 'invalid_scope',
      error_description: 'no',
      state: 's',
    })
  })

  test('empty parameters are absent (RFC 6749 section 3.1), but for iss: no issuer is named that', () => {
    expect(mustRead(read('code=&state=&error=&iss='))).toEqual({ iss: '' })
  })

  test.each(['state', 'code', 'iss', 'error', 'error_description'])(
    'with %s twice is invalid, even if equal',
    (name) => {
      const parsed = read(`${name}=secret&${name}=secret`)
      expect(parsed).toMatchObject({ invalid: { received: '2 times' } })
      expect(JSON.stringify(parsed)).not.toContain('secret')
    },
  )

  test('other parameters may be repeated', () => {
    expect(mustRead(read('code=c&x=1&x=2'))).toEqual({ code: 'c' })
  })
})

describe('the issuer of a response (RFC 9207 section 2.4)', {
  tags: ['mcp/validate-iss', 'mcp/iss-not-normalized', 'rfc9207/compared', 'rfc9207/missing', 'rfc9207/mismatch'],
}, () => {
  const issuer = 'https://as.example'
  const check = (iss: string | undefined, iss_parameter: boolean) => checkIssuer(iss, { issuer, iss_parameter })

  test('announced and right', () => expect(check(issuer, true)).toBeUndefined())
  test('not announced, and absent (E06)', () => expect(check(undefined, false)).toBeUndefined())
  test('not announced, but right all the same', () => expect(check(issuer, false)).toBeUndefined())

  test('announced, but absent: refused (L39)', () => {
    expect(check(undefined, true)).toEqual({ expected: `iss ${issuer}`, received: 'no iss' })
  })

  test.each(['https://evil.example', 'https://as.example/', 'HTTPS://as.example', ''])(
    '%j is another issuer, announced or not (E08)',
    (iss) => {
      for (const announced of [true, false]) {
        expect(check(iss, announced)).toEqual({ expected: `iss ${issuer}`, received: `iss ${iss}` })
      }
    },
  )
})
