import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedOverride, scriptedAuthorization } from '../../servers/index.js'
import { type Case, connect, expectFailure } from '../../support/bad-input.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { recordIn } from '../../support/stored.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

const at = { step: 'exchange', url: '/token' }
const rejected = { ...at, code: 'token_request_rejected', action: 'sign_in' }
const invalid = {
  ...at,
  code: 'token_response_invalid',
  action: 'contact_operator',
}
const unavailable = { ...at, code: 'server_unavailable', action: 'retry_at' }
/** The grant record is without tokens, and the login itself is gone. */
const left = ['discovery', 'grant', 'registration']

/** The usual answer, with these members; undefined leaves one out. */
const withMembers =
  (members: object): ScriptedOverride =>
  (_request, usual) => ({ json: { ...(usual().json as object), ...members } })

const cases: readonly Case[] = [
  {
    name: '400 invalid_grant',
    routes: { token: { status: 400, json: { error: 'invalid_grant', error_description: 'expired \u202e' } } },
    said: {
      ...rejected,
      received: expect.stringMatching(/^HTTP 400 for client scripted-client-\d+$/),
      oauth: { error: 'invalid_grant', error_description: 'expired \\u202e' },
    },
  },
  {
    name: 'an OAuth error with 200',
    routes: { token: { json: { error: 'invalid_request' } } },
    said: { ...rejected, received: expect.stringMatching(/^HTTP 200/), oauth: { error: 'invalid_request' } },
  },
  {
    name: '400 with a page of HTML',
    routes: { token: { status: 400, body: '<html>Bad request</html>' } },
    said: { ...unavailable, received: 'HTTP 400' },
  },
  { name: '500', routes: { token: { status: 500 } }, said: { ...unavailable, received: 'HTTP 500' } },
  { name: '503', routes: { token: { status: 503 } }, said: { ...unavailable, received: 'HTTP 503' } },
  {
    name: 'a page of HTML',
    routes: { token: { body: '<!DOCTYPE html>' } },
    said: { ...invalid, expected: 'a JSON object' },
  },
  {
    name: 'nothing',
    routes: { token: { body: '' } },
    said: { ...invalid, expected: 'a JSON object' },
  },
  {
    name: 'truncated JSON, with a token in it that is not repeated',
    routes: { token: { body: '{"access_token":"secret-token-1' } },
    said: { ...invalid, expected: 'a JSON object', received: expect.not.stringContaining('secret') },
  },
  ...[undefined, null, '', 7].map(
    (access_token): Case => ({
      name: `an access_token of ${JSON.stringify(access_token)}`,
      routes: { token: withMembers({ access_token }) },
      said: { ...invalid, expected: expect.stringContaining('access_token') },
    }),
  ),
  {
    name: 'an access_token with a line break: it would be another header',
    routes: { token: withMembers({ access_token: 'a\r\nx-admin: 1' }) },
    said: { ...invalid, expected: expect.stringContaining('access_token') },
  },
  {
    name: 'another token_type',
    routes: { token: withMembers({ token_type: 'mac' }) },
    said: { ...invalid, expected: expect.stringContaining('token_type'), received: expect.stringContaining('mac') },
  },
  {
    name: 'a token_type of DPoP, although no proof was sent: it would be used as a bearer token',
    routes: { token: withMembers({ token_type: 'DPoP' }) },
    said: { ...invalid, expected: expect.stringContaining('token_type'), received: expect.stringContaining('DPoP') },
  },
  {
    name: 'five megabytes',
    routes: { token: withMembers({ access_token: 'x'.repeat(5_000_000) }) },
    said: {
      ...at,
      code: 'response_too_large',
      expected: 'at most 1048576 bytes',
    },
  },
  {
    name: 'a redirect within the origin',
    routes: { token: { status: 307, headers: { location: '/token2' } } },
    said: (origin) => ({
      ...at,
      code: 'redirect_refused',
      received: `HTTP 307 to ${origin.origin}/token2`,
    }),
  },
  {
    name: 'a redirect to another origin',
    routes: { token: { status: 302, headers: { location: 'https://evil.example/token?code=1' } } },
    said: {
      ...at,
      code: 'redirect_refused',
      received: 'HTTP 302 to https://evil.example/token',
    },
  },
  {
    name: 'a connection that is cut',
    routes: { token: { destroy: true } },
    said: {
      ...at,
      code: 'network_error',
      received: 'fetch failed (UND_ERR_SOCKET)',
    },
  },
  {
    name: 'silence',
    routes: { token: { hang: true } },
    silentAt: '/token',
    said: {
      ...at,
      code: 'request_timeout',
      expected: 'within 30000 ms',
      hint: 'requestTimeoutMs',
    },
  },
]

describe('a token response that cannot be used', { tags: 'rfc6749/token-type' }, () => {
  it.each(cases)('$name', async (row) => {
    await expectFailure(server, { left, ...row })
    expect(server.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('leaves a record without tokens and without a lease', async () => {
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    const { connection, store } = connect(server)
    await connection.authorize().catch(() => undefined)
    expect(await recordIn(store, 'grant')).toEqual({ phase: 'absent', turn: 1, got: 0 })
  })

  it('leaves the login that there was before as it is', async () => {
    const { connection } = connect(server)
    await connection.authorize()
    const before = await connection.token()
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    await expect(connection.authorize({ force: true })).rejects.toMatchObject({ code: 'token_request_rejected' })
    expect(await connection.token()).toEqual(before)
    expect((await ping(connection)).status).toBe(200)
    expect(connection.getSnapshot()).toMatchObject({ status: 'signed_in', error: { code: 'token_request_rejected' } })
  })
})

describe('a token response that is tolerated', () => {
  it.each<[string, ScriptedOverride, string]>([
    ['no token_type', withMembers({ token_type: undefined }), 'token_type_missing'],
    ['a token_type of null', withMembers({ token_type: null }), 'token_type_missing'],
    ['expires_in as a string', withMembers({ expires_in: '300' }), 'expires_in_not_a_number'],
    ['expires_in of null', withMembers({ expires_in: null }), 'expires_in_not_a_number'],
    ['a negative expires_in', withMembers({ expires_in: -1 }), 'expires_in_not_a_number'],
    ['a refresh_token of null', withMembers({ refresh_token: null }), 'null_member'],
    ['an empty scope', withMembers({ scope: '' }), 'null_member'],
    ['201', (_request, usual) => ({ ...usual(), status: 201 }), 'token_response_status'],
    [
      'a form',
      (_request, usual) => {
        const { access_token } = usual().json as { access_token: string }
        return { body: `access_token=${access_token}&token_type=bearer` }
      },
      'token_response_form_encoded',
    ],
  ])('%s: with a diagnostic, and not where the connector is strict', async (_name, route, diagnostic) => {
    server.routes.token = route
    const { connection, seen } = connect(server)
    expect((await ping(connection)).status).toBe(200)
    expect(seen.diagnostics).toMatchObject([{ code: diagnostic, url: `${server.origin}/token` }])
    await expect(ping(connect(server, { strict: true }).connection)).rejects.toMatchObject({
      code: 'token_response_invalid',
      step: 'exchange',
    })
  })

  it.each<[string, object]>([
    ['token_type in other letters', { token_type: 'bEaReR' }],
    ['no expires_in', { expires_in: undefined }],
    ['no refresh_token', { refresh_token: undefined }],
    ['an id_token, and members that nobody knows', { id_token: 'x.y.z', foo: { bar: 1 } }],
  ])('%s: without a word', async (_name, members) => {
    server.routes.token = withMembers(members)
    const { connection, seen } = connect(server, { strict: true })
    expect((await ping(connection)).status).toBe(200)
    expect(seen.diagnostics).toEqual([])
  })
})
