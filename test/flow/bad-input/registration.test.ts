import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { type Case, connect, expectFailure } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const byHand = 'client.registered'
const rejected = { code: 'registration_rejected', step: 'register', url: '/register' }
const invalid = { code: 'registration_invalid', step: 'register', url: '/register', hint: byHand }
const unavailable = { code: 'server_unavailable', step: 'register', url: '/register' }
const left = ['discovery']

const cases: readonly Case[] = [
  {
    name: '400 with the reason',
    routes: {
      register: { status: 400, json: { error: 'invalid_redirect_uri', error_description: 'https only,\nplease' } },
    },
    said: {
      ...rejected,
      received: expect.stringContaining('HTTP 400'),
      oauth: { error: 'invalid_redirect_uri', error_description: 'https only,\\u000aplease' },
      hint: byHand,
      action: 'fix_configuration',
    },
  },
  {
    name: '403 with a page of HTML',
    routes: { register: { status: 403, body: '<html>\u001b[31mForbidden</html>' } },
    said: {
      ...rejected,
      received: expect.stringMatching(/^HTTP 403/),
      hint: 'client.registered',
    },
  },
  {
    name: '401: it asks for a token of its own',
    routes: { register: { status: 401, json: { error: 'invalid_token' } } },
    said: {
      ...rejected,
      received: expect.stringMatching(/^HTTP 401/),
      oauth: { error: 'invalid_token' },
      hint: 'client.registered',
    },
  },
  {
    name: '404',
    routes: { register: { status: 404 } },
    said: { ...rejected, received: expect.stringMatching(/^HTTP 404/), hint: byHand },
  },
  { name: '500', routes: { register: { status: 500 } }, said: { ...unavailable, received: 'HTTP 500' } },
  { name: '429', routes: { register: { status: 429 } }, said: { ...unavailable, received: 'HTTP 429' } },
  {
    name: '201 with a page of HTML',
    routes: { register: { status: 201, body: '<!doctype html>' } },
    said: { ...invalid, expected: 'a JSON object' },
  },
  {
    name: '201 without client_id',
    routes: { register: { status: 201, json: { client_name: 'x' } } },
    said: { ...invalid, expected: expect.stringContaining('client_id') },
  },
  {
    name: '201 with a client_id of null',
    routes: { register: { status: 201, json: { client_id: null } } },
    said: { ...invalid, expected: expect.stringContaining('client_id') },
  },
  {
    name: '201 with other redirect URIs',
    routes: { register: { status: 201, json: { client_id: 'c', redirect_uris: ['https://evil.example/cb'] } } },
    said: {
      ...invalid,
      expected: expect.stringMatching(/^redirect_uris with http:\/\/127\.0\.0\.1:\d+\/callback$/),
      received: 'https://evil.example/cb',
    },
  },
  {
    name: '201 with a method that needs the secret that is not there',
    routes: { register: { status: 201, json: { client_id: 'c', token_endpoint_auth_method: 'client_secret_post' } } },
    said: { ...invalid, expected: 'client_secret for client_secret_post', received: 'none' },
  },
  {
    name: 'a redirect',
    routes: { register: { status: 307, headers: { location: '/register2' } } },
    said: (at) => ({
      code: 'redirect_refused',
      step: 'register',
      url: '/register',
      received: `HTTP 307 to ${at.origin}/register2`,
      action: 'contact_operator',
    }),
  },
  {
    name: 'silence',
    routes: { register: { hang: true } },
    silentAt: '/register',
    said: {
      code: 'request_timeout',
      step: 'register',
      url: '/register',
      expected: 'within 30000 ms',
      hint: 'requestTimeoutMs',
      action: 'retry_at',
    },
  },
  {
    name: 'five megabytes',
    routes: { register: { status: 201, body: 'x'.repeat(5_000_000) } },
    said: {
      code: 'response_too_large',
      step: 'register',
      url: '/register',
      expected: 'at most 1048576 bytes',
    },
  },
]

describe('a registration that comes to nothing', {
  tags: ['mcp-registration/refused-registration', 'mcp-registration/refusal-explained'],
}, () => {
  it.each(cases)('$name', (row) => expectFailure(server, { left, ...row }))
})

describe('a registration that is tolerated', () => {
  it('200 instead of 201: with a diagnostic, and not where the connector is strict', async () => {
    server.routes.register = (_request, usual) => ({ ...usual(), status: 200 })
    const { connection, seen } = connect(server)
    expect((await ping(connection)).status).toBe(200)
    expect(seen.diagnostics).toEqual([
      {
        code: 'registration_status',
        url: `${server.origin}/register`,
        expected: 'HTTP 201',
        received: 'HTTP 200',
      },
    ])
    await expect(ping(connect(server, { strict: true }).connection)).rejects.toMatchObject({
      code: 'registration_invalid',
      received: 'HTTP 200',
    })
  })

  it('a secret that nobody asked for: it is used by the method that comes with it', {
    tags: ['rfc6749/one-authentication', 'rfc6749/client-authenticated'],
  }, async () => {
    const client = { client_id: 'c:1', client_secret: 's+ü', client_secret_expires_at: 0 }
    server.routes.register = (_request, usual) => ({
      ...usual(),
      json: { ...(usual().json as object), ...client, token_endpoint_auth_method: 'client_secret_basic' },
    })
    expect((await ping(connect(server).connection)).status).toBe(200)
    const request = server.requests.find(({ path }) => path === '/token')
    const basic = Buffer.from('c%3A1:s%2B%C3%BC').toString('base64')
    expect(request?.headers.authorization).toBe(`Basic ${basic}`)
    expect(new URLSearchParams(request?.body).has('client_secret')).toBe(false)
  })
})

it('a registration that asks for a token of its own gets the one that the host has, and nothing else does', {
  tags: 'rfc7591/initial-access-token',
}, async () => {
  server.routes.register = ({ headers }, usual) =>
    headers.authorization === 'Bearer initial' ? usual() : { status: 401 }
  const compatibility = { initialAccessToken: async () => 'initial' }
  expect((await ping(connect(server, { compatibility }).connection)).status).toBe(200)
  const told = server.requests.filter((request) => JSON.stringify(request).includes('Bearer initial'))
  expect(told.map(({ path }) => path)).toEqual(['/register'])
})
