import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedRoute, scriptedAuthorization } from '../../servers/index.js'
import { hearing } from '../../support/canaries.js'
import { closing } from '../../support/closing.js'
import { deviceAgent } from '../../support/device-agent.js'
import { hurriedClock } from '../../support/hurried-clock.js'
import { ping } from '../../support/mcp-client.js'
import { shiftedClock } from '../../support/shifted-clock.js'
import { followRedirect, scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
/** By name: every secret that has gone over the wire so far. */
let secrets: Record<string, string>

beforeEach(async () => {
  server = open(await scriptedAuthorization())
  secrets = { 'client secret': 'canary-client-secret-+/', 'url key': 'canary-url-key' }
  server.routes.register = (_request, usual) => ({
    ...usual(),
    json: {
      ...(usual().json as object),
      client_secret: secrets['client secret'],
      token_endpoint_auth_method: 'client_secret_post',
    },
  })
  server.routes.authorize = (request, usual) => {
    secrets.state = request.query.get('state') ?? ''
    const answer = usual()
    secrets.code = new URL(String(answer.headers?.location)).searchParams.get('code') ?? ''
    return answer
  }
  server.routes.token = (request, usual) => {
    const sent = new URLSearchParams(request.body)
    secrets['code verifier'] = sent.get('code_verifier') ?? secrets['code verifier'] ?? ''
    secrets['refresh token that was sent'] = sent.get('refresh_token') ?? 'canary-none-sent'
    const answer = usual()
    const { access_token, refresh_token } = answer.json as Record<string, string>
    if (access_token !== undefined) secrets[`access token ${access_token}`] = access_token
    if (refresh_token !== undefined) secrets[`refresh token ${refresh_token}`] = refresh_token
    return answer
  }
})

function connect(options: ConnectorOptions = {}) {
  const heard = hearing()
  const clock = shiftedClock()
  const store = memoryStore(() => clock.now())
  const connector = open(
    createConnector({
      clock,
      store,
      log: heard.log,
      audit: heard.audit,
      userAgent: scriptedAgent(),
      interaction: 'explicit',
      ...options,
    }),
  )
  const connection = connector.connect(`${server.url}?key=${secrets['url key']}`)
  heard.watch(connection, connector)
  return { ...heard, heard, connection, connector, clock, store }
}

/** What a server answers that repeats all that it was sent. */
const echoing = (status: number) => (request: { readonly body: string; readonly headers: object }) => ({
  status,
  json: {
    error: 'invalid_grant',
    error_description: `refused: ${decodeURIComponent(request.body)} ${JSON.stringify(request.headers)}`,
  },
})

describe('no secret reaches an error, a log event, an audit entry, a snapshot, a trace or an explanation', {
  tags: ['mcp/refresh-token-confidential', 'rfc6750/safeguarded'],
}, () => {
  it('of a login, a refresh and a sign-out that go well', async () => {
    const { connection, heard, clock } = connect()
    await connection.authorize()
    await ping(connection)
    clock.forward(400_000)
    await ping(connection)
    await connection.signOut()
    await heard.hear(connection.token())
    expect(heard.heard.events).toBeGreaterThan(8)
    expect(heard.heard.snapshots).toBeGreaterThan(4)
    expect(heard.heard.entries).toBe(2)
    expect(Object.values(secrets).every((secret) => secret.length > 7)).toBe(true)
    const { 'url key': _, ...rest } = secrets
    expect(await heard.leaks(rest)).toEqual([])
  })

  it('while a login is held', async () => {
    const { connection, connector, heard } = connect()
    await connection.authorize()
    await ping(connection)
    expect(connection.trace().length).toBeGreaterThan(3)
    expect(await connection.explain()).toHaveProperty('grant')
    expect(await connector.connections()).toHaveLength(1)
    expect(await heard.leaks(secretsBut('url key'))).toEqual([])
  })

  it('of the query of a server URL, in what is written down', async () => {
    const { connection, heard, clock } = connect()
    await connection.authorize()
    await ping(connection)
    clock.forward(400_000)
    server.routes.mcp = { status: 401 }
    await ping(connection).catch(() => undefined)
    await connection.signOut()
    expect(await heard.leaks({ 'url key': 'canary-url-key' })).toEqual([])
  })

  it.each<[string, ScriptedRoute, number]>([
    ['the exchange', 'token', 400],
    ['the exchange', 'token', 500],
    ['the registration', 'register', 400],
    ['the registration', 'register', 401],
    ['the resource metadata', 'resourceMetadata', 400],
    ['the server metadata', 'serverMetadata', 500],
  ])('of a login whose server repeats what it is sent: %s', async (_name, route, status) => {
    const usual = server.routes[route]
    server.routes[route] = async (request, answer) => {
      if (typeof usual === 'function') await usual(request, answer)
      return echoing(status)(request)
    }
    secrets['initial access token'] = 'canary-initial-access-token'
    const { connection, heard } = connect({
      compatibility: { initialAccessToken: secrets['initial access token'] },
    })
    await heard.hear(connection.authorize())
    await heard.hear(ping(connection))
    expect(heard.heard.errors).toBe(2)
    expect(await heard.leaks(secretsBut('url key'))).toEqual([])
  })

  it.each<[string, ScriptedRoute, number]>([
    ['asking for the code', 'deviceAuthorization', 400],
    ['a poll', 'token', 400],
    ['a poll', 'token', 403],
  ])('of a login by a code whose server repeats what it is sent: %s', async (_name, route, status) => {
    const usual = server.routes[route]
    server.routes.serverMetadata = (_request, answer) => ({
      json: { ...(answer().json as object), device_authorization_endpoint: `${server.origin}/device` },
    })
    server.routes[route] = async (request, answer) => {
      if (typeof usual === 'function') await usual(request, answer)
      secrets['device code'] = new URLSearchParams(request.body).get('device_code') ?? 'canary-none-yet'
      return echoing(status)(request)
    }
    const { connection, heard } = connect({ userAgent: deviceAgent(), clock: hurriedClock(5_000) })
    await heard.hear(connection.authorize())
    expect(heard.heard.errors).toBe(1)
    expect(secrets['device code']).toContain(route === 'token' ? 'scripted-device-code' : 'canary')
    expect(await heard.leaks(secretsBut('url key'))).toEqual([])
  })

  it.each([400, 401, 429, 500, 503])('of a refresh whose server repeats what it is sent: %i', async (status) => {
    const { connection, heard, clock } = connect()
    await connection.authorize()
    clock.forward(400_000)
    server.routes.token = (request) => {
      secrets['refresh token that was sent'] = new URLSearchParams(request.body).get('refresh_token') ?? ''
      return echoing(status)(request)
    }
    await heard.hear(connection.token({ refresh: true }))
    await heard.hear(ping(connection))
    expect(heard.heard.errors).toBeGreaterThan(0)
    expect(await heard.leaks(secretsBut('url key'))).toEqual([])
  })

  it.each([
    [
      'an answer that breaks off',
      { headers: { 'content-length': '999' }, body: '{"access_token":"canary-half-sent', destroy: true },
    ],
    ['an answer that is no JSON', { body: 'access_token "canary-half-sent"' }],
    ['a type that nobody knows', { json: { access_token: 'canary-half-sent', token_type: 'mac' } }],
    ['a redirect', { status: 302, headers: { location: '/token?access_token=canary-half-sent' } }],
    ['a connection that is cut', { destroy: true }],
  ])('of tokens in %s', async (_name, answer) => {
    const { connection, heard } = connect()
    const usual = server.routes.token
    server.routes.token = async (request, normal) => {
      if (typeof usual === 'function') await usual(request, normal)
      return answer
    }
    await heard.hear(connection.authorize())
    expect(heard.heard.errors).toBe(1)
    expect(await heard.leaks({ ...secretsBut('url key'), half: 'canary-half-sent' })).toEqual([])
  })

  it('of a request that the server refuses, repeating its token', async () => {
    const { connection, heard } = connect({ interaction: 'on-demand' })
    await connection.authorize()
    server.routes.mcp = (request) => ({
      status: 401,
      headers: {
        'www-authenticate': `Bearer error="invalid_token", error_description="no good: ${request.headers.authorization}"`,
      },
    })
    await heard.hear(ping(connection))
    await heard.hear(ping(connection, { headers: { authorization: 'Bearer canary-of-the-host' } }))
    expect(heard.heard.errors).toBe(2)
    expect(await heard.leaks({ ...secretsBut('url key'), 'token of the host': 'canary-of-the-host' })).toEqual([])
  })

  it.each<[string, (parameters: URLSearchParams) => unknown]>([
    ['another state', (p) => p.set('state', 'canary-other-state')],
    ['another issuer', (p) => p.set('iss', 'https://evil.example')],
    ['two codes', (p) => p.append('code', 'canary-other-code')],
    ['an error', (p) => p.set('error', 'access_denied')],
  ])('of a response with %s', async (_name, change) => {
    const userAgent = scriptedAgent({
      browser: async (url) => {
        const parameters = await followRedirect(url)
        if (typeof parameters !== 'string') change(parameters)
        return parameters
      },
    })
    const { connection, heard } = connect({ userAgent })
    await heard.hear(connection.authorize())
    expect(heard.heard.errors).toBe(1)
    const others = { 'other state': 'canary-other-state', 'other code': 'canary-other-code' }
    expect(await heard.leaks({ ...secretsBut('url key'), ...others })).toEqual([])
  })

  it('of a callback that is completed elsewhere', async () => {
    const { connection, connector, heard } = connect()
    const { authorizationUrl } = await connection.beginAuthorization({ redirectUri: 'https://web.example/callback' })
    const callback = (await followRedirect(authorizationUrl)) as URLSearchParams
    await heard.hear(connector.completeAuthorization(callback))
    await heard.hear(connector.completeAuthorization(callback, { state: 'canary-other-state' }))
    callback.set('state', 'canary-unknown-state')
    await heard.hear(connector.completeAuthorization(callback, { state: 'canary-unknown-state' }))
    expect(heard.heard.errors).toBe(3)
    const others = { other: 'canary-other-state', unknown: 'canary-unknown-state' }
    expect(await heard.leaks({ ...secretsBut('url key'), ...others })).toEqual([])
  })
})

const secretsBut = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).filter(([key, secret]) => key !== name && secret !== ''))
