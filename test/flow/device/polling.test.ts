import type { Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { deviceAgent } from '../../support/device-agent.js'
import { ping } from '../../support/mcp-client.js'
import { START, settled } from '../../support/simulated-clock.js'
import { soon } from '../../support/soon.js'
import { kindsIn, recordIn, storedText } from '../../support/stored.js'
import { answers, deviceHosts, outcome, pollsOf, refused } from './host.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization({ devices: true }))
})
const host = deviceHosts(() => server)

const device = (members: Record<string, unknown>): void => {
  server.routes.deviceAuthorization = (_request, usual) => ({ json: { ...(usual().json as object), ...members } })
}
const formOf = (path: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(server.requests.find((request) => request.path === path)?.body))

const leftIn = async (store: Store): Promise<readonly string[]> =>
  (await kindsIn(store)).filter((kind) => kind === 'attempt' || kind === 'login')

describe('a sign-in by a code', () => {
  it('registers without redirect URIs, shows the code, and polls until the person has approved', {
    tags: ['rfc8628/interval', 'rfc8628/authenticated', 'rfc8628/shown'],
  }, async () => {
    const { connection, page, poll, agent, log, store } = host({ scope: 'notes:read' })
    const signedIn = outcome(connection.authorize())
    const shown = await page()
    expect(shown).toEqual({
      kind: 'device',
      userCode: 'CODE-2',
      verificationUri: `${server.origin}/enter`,
      expiresAt: START + 600_000,
    })
    await poll(5_000)
    await poll(5_000)
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')

    expect(JSON.parse(server.requests.find(({ path }) => path === '/register')?.body ?? '')).toMatchObject({
      redirect_uris: [],
      response_types: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      application_type: 'native',
    })
    const client_id = 'scripted-client-1'
    expect(formOf('/device')).toEqual({ client_id, scope: 'notes:read', resource: server.url })
    expect(formOf('/token')).toEqual({
      client_id,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'scripted-device-code-2',
      resource: server.url,
    })
    expect(log.types).toEqual(['login_started', 'login_waiting', 'login_completed'])
    expect(agent.ends).toEqual([{ ok: true }])
    expect(await kindsIn(store)).toEqual(['discovery', 'grant', 'registration'])
    expect((await ping(connection)).status).toBe(200)
  })

  it('a second one goes by the same registration, which a sign-in by redirect does not use', async () => {
    const { connection, page, poll } = host()
    for (const count of [1, 2]) {
      const signedIn = outcome(connection.authorize({ force: true }))
      await page(count)
      server.deviceCodes.clear()
      await poll(5_000)
      expect(await signedIn).toBe('signed_in')
    }
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(1)
  })

  it('shows the URI that has the code in it too, and polls as often as the server says', async () => {
    device({ verification_uri_complete: `${server.origin}/enter?code=1`, interval: 7, expires_in: 90 })
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    expect(await page()).toMatchObject({
      verificationUriComplete: `${server.origin}/enter?code=1`,
      userCode: 'CODE-2',
      expiresAt: START + 90_000,
    })
    await poll(7_000)
    server.deviceCodes.clear()
    await poll(7_000)
    expect(await signedIn).toBe('signed_in')
  })

  it('a client that was registered by hand authenticates at both endpoints', {
    tags: 'rfc8628/authenticated',
  }, async () => {
    const registered = { issuer: server.issuer, clientId: 'by-hand', clientSecret: 'the-secret' }
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    })
    const { connection, page, poll, store } = host({ client: { registered } })
    const signedIn = outcome(connection.authorize())
    await page()
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')
    const sent = server.requests.filter(({ path }) => path === '/device' || path === '/token')
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(
      Array(2).fill(`Basic ${btoa('by-hand:the-secret')}`),
    )
    expect(await storedText(store)).not.toContain('the-secret')
  })

  it('opens by a request too: the request waits, and later ones find it done', async () => {
    const { connection, page, clock } = host()
    const first = outcome(ping(connection))
    await page()
    await clock.advance(4_999)
    server.deviceCodes.clear()
    await clock.advance(1)
    await soon(() => pollsOf(server).length).toBe(1)
    expect(await first).toBe(200)
  })
})

describe('how often it is polled', () => {
  it('slow_down adds five seconds, to this wait and all after it, and stays in the record', {
    tags: 'rfc8628/slow-down',
  }, async () => {
    device({ interval: 7 })
    answers(server, refused('slow_down'), 'usual', refused('slow_down'), 'usual')
    const { connection, page, poll, store, clock } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    await poll(7_000)
    await poll(12_000)
    await poll(12_000)
    await soon(() => clock.sleeping).toContain(17_000)
    expect(await recordIn(store, 'attempt')).toMatchObject({ attempt: { pending: { interval: 17 } } })
    server.deviceCodes.clear()
    await poll(17_000)
    expect(await signedIn).toBe('signed_in')
  })

  it.each([
    ['a server that is busy', { status: 503 }],
    ['a server that is broken', { status: 500, body: 'oh' }],
    ['a gateway that answers for it', { status: 404, json: { error: 'Not Found' } }],
    ['an OAuth error that will pass', refused('temporarily_unavailable')],
  ])('%s: it is asked less and less often, until it answers', { tags: 'rfc8628/back-off' }, async (_name, answer) => {
    device({ interval: 7 })
    answers(server, answer, answer, answer, answer, 'usual')
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    await poll(7_000)
    await poll(14_000)
    await poll(28_000)
    await poll(56_000)
    await poll(60_000)
    server.deviceCodes.clear()
    await poll(7_000)
    expect(await signedIn).toBe('signed_in')
  })

  it('a connection that breaks or times out: the same', { tags: 'rfc8628/back-off' }, async () => {
    device({ interval: 7 })
    let polls = 0
    const oauthFetch: typeof fetch = (input, init) => {
      if (!String(input).endsWith('/token') || ++polls > 2) return fetch(input, init)
      if (polls === 1) return Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }))
      return new Promise(() => undefined)
    }
    const { connection, page, clock, poll } = host({ oauthFetch })
    const signedIn = outcome(connection.authorize())
    await page()
    await soon(() => clock.sleeping).toContain(7_000)
    await clock.advance(7_000)
    await soon(() => clock.sleeping).toContain(14_000)
    await clock.advance(14_000)
    await soon(() => clock.sleeping).toContain(30_000)
    await clock.advance(30_000)
    server.deviceCodes.clear()
    await poll(28_000)
    expect(await signedIn).toBe('signed_in')
  })

  it('a Retry-After is kept', async () => {
    answers(server, { status: 429, headers: { 'retry-after': '33' } })
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    await poll(5_000)
    server.deviceCodes.clear()
    await poll(33_000)
    expect(await signedIn).toBe('signed_in')
  })
})

describe('how it ends without tokens', () => {
  it.each([
    ['the person says no', refused('access_denied'), { code: 'access_denied', action: 'sign_in' }],
    ['the code has expired', refused('expired_token'), { code: 'login_timeout', received: 'expired_token' }],
    ['another error', refused('invalid_grant'), { code: 'token_request_rejected', action: 'sign_in' }],
    ['tokens that cannot be used', { json: { token_type: 'Bearer' } }, { code: 'token_response_invalid' }],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, { code: 'redirect_refused' }],
  ])('%s: no more polls, and nothing is left', { tags: 'rfc8628/stop' }, async (_name, answer, said) => {
    answers(server, 'usual', answer)
    const { connection, page, poll, clock, agent, store } = host()
    const failed = connection.authorize().catch((error) => error)
    await page()
    await poll(5_000)
    await poll(5_000)
    expect(await failed).toMatchObject({ step: 'poll', ...said })
    await clock.advance(600_000)
    expect(pollsOf(server)).toHaveLength(2)
    expect(agent.ends).toMatchObject([{ ok: false, error: said }])
    expect(await leftIn(store)).toEqual([])
  })

  it('nobody enters the code: it is given up when it expires, and no request shows another by itself', {
    tags: 'rfc8628/no-restart',
  }, async () => {
    device({ interval: 100, expires_in: 250 })
    const { connection, page, poll, clock, agent } = host()
    const failed = connection.authorize().catch((error) => error)
    await page()
    await poll(100_000)
    await poll(100_000)
    await soon(() => clock.sleeping).toContain(50_000)
    await clock.advance(50_000)
    const error = await failed
    expect(error).toMatchObject({ code: 'login_timeout', step: 'poll', received: 'no approval', action: 'sign_in' })
    expect(error.hint).toContain('a new code')
    expect(pollsOf(server)).toHaveLength(2)
    expect(await outcome(ping(connection))).toBe('interaction_required')
    expect(agent.pages).toHaveLength(1)
    // Somebody asks again.
    void outcome(connection.authorize())
    await page(2)
  })

  it.each([
    ['the server names no expiry', undefined, undefined, 900_000],
    ['the host has a time limit of its own', 600, 60_000, 60_000],
  ])('%s: it ends all the same', async (_name, expires_in, loginTimeoutMs, endsMs) => {
    device({ expires_in })
    const { connection, page } = host(loginTimeoutMs === undefined ? {} : { loginTimeoutMs })
    void outcome(connection.authorize())
    expect((await page()).expiresAt).toBe(START + endsMs)
  })

  it.each([
    ['its caller gives it up', 'request_aborted'],
    ['the connector is closed', 'connector_closed'],
    ['the person signs out', 'login_cancelled'],
  ])('%s: no more polls, and nothing is left', async (how, code) => {
    const { connection, connector, page, poll, agent, clock, store } = host()
    const enough = new AbortController()
    const failed = outcome(connection.authorize({ signal: enough.signal }))
    await page()
    await poll(5_000)
    await soon(() => clock.sleeping).toContain(5_000)
    if (how.startsWith('its')) enough.abort()
    else await (how.startsWith('the person') ? connection.signOut() : connector.close())
    expect(await failed).toBe(code)
    await soon(() => agent.ends.length).toBe(1)
    await clock.advance(60_000)
    expect(pollsOf(server)).toHaveLength(1)
    expect(await leftIn(store)).toEqual([])
    expect(clock.sleeping).toEqual([])
  })

  it('the person signs out while the tokens are on their way: they are revoked, and the person stays signed out', async () => {
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    server.routes.token = async (_request, usual) => {
      await asked
      return usual()
    }
    const { connection, page, poll } = host()
    const failed = outcome(connection.authorize())
    await page()
    server.deviceCodes.clear()
    await poll(5_000)
    await connection.signOut()
    answer()
    expect(await failed).toBe('login_cancelled')
    expect(connection.getSnapshot().status).toBe('signed_out')
    await soon(() => server.refreshTokens.size).toBe(0)
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no terminal')), 'unexpected'],
    ['answers as a browser would', async () => new URLSearchParams('code=1'), 'user_agent_unsuitable'],
    ['goes away', async () => 'parked' as const, 'user_agent_unsuitable'],
  ])('a user agent that %s: the login ends, and is not polled for', async (_name, present, code) => {
    const { connection, clock } = host({ userAgent: deviceAgent(present) })
    expect(await outcome(connection.authorize())).toBe(code)
    await clock.advance(60_000)
    expect(pollsOf(server)).toEqual([])
  })

  it('a user agent that shows for ever does not hold up the login', async () => {
    const { connection, poll, page, clock } = host({ userAgent: deviceAgent(() => new Promise(() => undefined)) })
    const signedIn = outcome(connection.authorize())
    await page()
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')
    await settled()
    expect(clock.sleeping).toEqual([])
  })
})
