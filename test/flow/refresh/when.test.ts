import { describe, expect, it } from 'vitest'
import { ping } from '../../support/mcp-client.js'
import { onDemand, refreshing, tokenResponse } from '../../support/refreshing.js'
import { START } from '../../support/simulated-clock.js'

const world = refreshing()
/** Seconds from the beginning of the token's life until it is renewed. */
const cases: readonly (readonly [lifetime: number, jitter: number, renewed: number])[] = [
  [300, 0, 240],
  [3_600, 0, 3_540],
  [86_400, 0, 86_340],
  [40, 0, 30],
  [4, 0, 3],
  [300, 255, 252],
  [40, 255, 32],
]

const encoded = (json: object): string => btoa(JSON.stringify(json)).replace(/[+/=]/g, (sign) => base64url[sign] ?? '')
const base64url: Readonly<Record<string, string>> = { '+': '-', '/': '_' }
/** A token that says of itself when it expires: so many seconds after the beginning of the test. */
function jwt(exp: unknown): string {
  const at = typeof exp === 'number' ? START / 1_000 + exp : exp
  return `${encoded({ alg: 'none' })}.${encoded({ exp: at })}.x`
}

describe('when a token is renewed', () => {
  it.each(cases)('one that lives %i s (jitter %i of 255): after %i s', async (lifetime, jitter, renewed) => {
    const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(bytes === 1 ? jitter : 7)
    const tokens = { issued_at: START, expires_at: START + lifetime * 1_000 }
    const { connection, clock } = await world.login({ random, tokens })
    await clock.advance(renewed * 1_000 - 1)
    expect((await connection.token()).accessToken).toBe('a1')
    await clock.advance(1)
    expect((await connection.token()).accessToken).not.toBe('a1')
  })

  it('one without an expiry: when the server refuses it', async () => {
    const login = await world.login({ tokens: { expires_at: undefined } })
    await login.clock.advance(1e9)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual([])
    world.server.accessTokens.delete('a1')
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1'])
  })

  it('one without an expiry that is a JWT: by its own exp, which is no more than a hint', async () => {
    const login = await world.login({ tokens: { access_token: jwt(300), expires_at: undefined } })
    world.server.accessTokens.add(jwt(300))
    await login.clock.advance(239_999)
    await login.connection.token()
    expect(login.spent).toEqual([])
    world.server.routes.token = { status: 503 }
    await login.clock.advance(1)
    // It cannot be renewed now, and whether it has expired is the server's to say.
    await login.clock.advance(1_000_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1'])
  })

  it.each([
    ['in the past', jwt(-10)],
    ['no number', jwt('soon')],
    ['no text either', jwt({ toString: 1, valueOf: 1 })],
    ['not there', jwt(undefined)],
  ])('a JWT whose exp is %s: when the server refuses it', async (_name, access_token) => {
    const login = await world.login({ tokens: { access_token, expires_at: undefined } })
    await login.clock.advance(1e9)
    expect((await login.connection.token()).accessToken).toBe(access_token)
    expect(login.spent).toEqual([])
  })

  it('one that was born expired: when the server refuses it, with a diagnostic', async () => {
    const { connection, seen } = await world.login()
    world.server.routes.token = (_request, usual) => ({ json: { ...(usual().json as object), expires_in: 0 } })
    await connection.authorize({ force: true })
    expect(seen.diagnostics).toMatchObject([{ code: 'token_born_expired', url: `${world.server.issuer}/token` }])
    const { accessToken } = await connection.token()
    expect((await ping(connection)).status).toBe(200)
    expect((await connection.token()).accessToken).toBe(accessToken)
  })

  it('one that cannot be renewed is used until it is refused', { tags: 'mcp/refresh-token-not-assumed' }, async () => {
    const login = await world.login({ tokens: { refresh_token: undefined } })
    await login.clock.advance(400_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual([])
  })

  it('nothing is asked of the store while a token is good', async () => {
    const login = await world.login()
    await login.connection.token()
    const { get } = login.store
    let asked = 0
    Object.assign(login.store, {
      get: (key: string) => {
        asked++
        return get(key)
      },
    })
    for (let time = 0; time < 10; time++) await ping(login.connection)
    expect(asked).toBe(0)
  })

  it('once, whoever asks: a caller who gives up does not end it', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const impatient = new AbortController()
    const [one, two] = [login.connection.token({ refresh: true, signal: impatient.signal }), login.another().token()]
    await late.asked
    impatient.abort()
    await expect(one).rejects.toMatchObject({ code: 'request_aborted' })
    expect((await two).accessToken).toBe('a1')
    const three = login.connection.token({ refresh: true })
    late.answer(tokenResponse({}))
    expect((await three).accessToken).toBe('a2')
    expect(login.spent).toEqual(['r1'])
  })
})

describe('what a refresh answers', () => {
  it.each([
    ['another refresh token', { refresh_token: 'r2' }, 'r2'],
    ['no refresh_token', { refresh_token: undefined }, 'r1'],
    ['an empty refresh_token', { refresh_token: '' }, 'r1'],
    ['a refresh_token of null', { refresh_token: null }, 'r1'],
    ['a refresh_token that is no text', { refresh_token: 7 }, 'r1'],
  ])(
    '%s: the login goes on with %j as %s',
    { tags: ['rfc6749/refresh-replaced', 'mcp-2025-03-26/token-rotation'] },
    async (_name, members, expected) => {
      const login = await world.login()
      world.server.routes.token = tokenResponse(members)
      await login.connection.token({ refresh: true })
      expect(await login.record()).toMatchObject({
        phase: 'valid',
        granted: { tokens: { access_token: 'a2', refresh_token: expected } },
      })
    },
  )

  it('no scope: the scope is what it was', async () => {
    const login = await world.login({ tokens: { scope: 'read' } })
    world.server.routes.token = tokenResponse({})
    expect(await login.connection.token({ refresh: true })).toMatchObject({ scope: 'read' })
  })

  it.each([
    ['by its Date, where the answer was long on its way', 5_000, 5_000],
    ['no sooner than it was asked for, where the clock of the server is behind', -3_600_000, 0],
    ['no later than it came, where that clock is ahead', 3_600_000, 20_000],
    ['when it came, without a Date', undefined, 20_000],
  ])('expires_in: it counts %s', async (_name, dateMs, fromMs) => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const renewed = login.connection.token({ refresh: true })
    await late.asked
    await login.clock.advance(20_000)
    const date = dateMs === undefined ? 'unknown' : new Date(START + dateMs).toUTCString()
    late.answer({ ...tokenResponse({}), headers: { date } })
    expect((await renewed).expiresAt).toBe(START + fromMs + 300_000)
  })

  it('no expires_in: the expiry is unknown', async () => {
    const login = await world.login()
    world.server.routes.token = tokenResponse({ expires_in: undefined })
    expect(await login.connection.token({ refresh: true })).not.toHaveProperty('expiresAt')
  })
})
