import { describe, expect, it } from 'vitest'
import type { Answer } from '../../servers/index.js'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'

const world = refreshing()
/** The error document of a gateway in front of the token endpoint: it has an `error` too, and is no OAuth error. */
const gateway = (status: number, error: string): Answer => ({ status, json: { status, error, path: '/token' } })

describe('an error that a gateway answers instead of the token endpoint: the login is kept', () => {
  it.each<[string, Answer]>([
    ['400', gateway(400, 'Bad Request')],
    ['401', gateway(401, 'Unauthorized')],
    ['403', gateway(403, 'Forbidden')],
    ['404', gateway(404, 'Not Found')],
    ['404, one word', gateway(404, 'not_found')],
    ['405', gateway(405, 'Method Not Allowed')],
    ['413', gateway(413, 'Payload Too Large')],
  ])('%s', async (_name, answer) => {
    const login = await world.login()
    world.server.routes.token = answer
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'server_unavailable',
      step: 'refresh',
      action: 'retry_at',
    })
    expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r1' } } })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(login.seen.types).toEqual(['kept'])

    delete world.server.routes.token
    await login.clock.advance(5_000)
    expect((await login.connection.token({ refresh: true })).accessToken).toMatch(/^scripted-access-token/)
    expect(login.agent.begun).toBe(0)
  })

  it.each([500, 502, 504])(
    '%i, which may have come after a commit: the token is kept, and asked about once more',
    async (status) => {
      const login = await world.login()
      world.server.routes.token = gateway(status, 'Bad Gateway')
      await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'refresh_outcome_unknown' })
      expect(login.spent).toEqual(['r1', 'r1'])
      expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r1' } } })

      delete world.server.routes.token
      await login.clock.advance(5_000)
      expect((await login.connection.token({ refresh: true })).accessToken).toMatch(/^scripted-access-token/)
    },
  )
})

describe("an OAuth error: the server's own word, which ends the login", () => {
  it.each<[string, Answer]>([
    ['400', { status: 400, json: { error: 'invalid_grant' } }],
    ['401', { status: 401, json: { error: 'invalid_grant' } }],
    ['403', { status: 403, json: { error: 'invalid_grant' } }],
    ['404', { status: 404, json: { error: 'invalid_grant' } }],
    ["400, in a word of the server's own", { status: 400, json: { error: 'token_reused' } }],
  ])('%s', async (_name, answer) => {
    const login = await world.login()
    world.server.routes.token = answer
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { reason: 'login_ended' },
    })
    expect(await login.record()).toMatchObject({ phase: 'spent' })
    expect(login.seen.types).toEqual(['spent'])
  })
})

describe('an answer with nothing but a new refresh token', () => {
  it('the new one is kept, and the server gets a rest: five requests in a row send one', async () => {
    const login = await world.login()
    let given = 1
    world.server.accessTokens.clear()
    world.server.routes.token = () => ({ json: { refresh_token: `r${++given}` } })
    for (let time = 0; time < 5; time++) {
      await expect(ping(login.connection)).rejects.toMatchObject({
        action: 'retry_at',
        retryAt: login.clock.now() + 5_000,
      })
    }
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r2' } } })

    delete world.server.routes.token
    world.server.refreshTokens.add('r2')
    await login.clock.advance(5_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1', 'r2'])
  })
})

describe('a server that refuses the client', () => {
  const registered = { client: { origin: 'registered' } } as const

  it.each(['invalid_client', 'unauthorized_client'])(
    'that was registered by hand (%s): the host has to repair it, the person stays signed in',
    async (error) => {
      const login = await world.login({ seed: registered })
      world.server.routes.token = { status: 401, json: { error } }
      await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
        code: 'token_request_rejected',
        step: 'refresh',
        action: 'fix_configuration',
        hint: expect.stringContaining('client.registered'),
        oauth: { error },
      })
      expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r1' } } })
      expect(login.connection.getSnapshot().status).toBe('signed_in')

      delete world.server.routes.token
      await login.clock.advance(5_000)
      expect((await login.connection.token({ refresh: true })).accessToken).toMatch(/^scripted-access-token/)
    },
  )

  it('that was registered by hand: its grant may be refused all the same', async () => {
    const login = await world.login({ seed: registered })
    world.server.refreshTokens.clear()
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(await login.record()).toMatchObject({ phase: 'spent' })
  })
})

describe('a time to try again at, in the record', () => {
  const DAY_MS = 86_400_000

  it.each<[string, number, boolean]>([
    ['within a day', DAY_MS, true],
    ['more than a day ahead, of a clock that was wrong', DAY_MS + 1, false],
    ['a year ahead', 365 * DAY_MS, false],
  ])('%s: respected or ignored', async (_name, aheadMs, respected) => {
    const retry_at = Date.UTC(2026, 0, 1) + aheadMs
    const login = await world.login({ seed: { record: { retry_at } } })
    const asked = login.connection.token({ refresh: true })
    if (respected) await expect(asked).rejects.toMatchObject({ code: 'server_unavailable', retryAt: retry_at })
    else expect((await asked).accessToken).toMatch(/^scripted-access-token/)
    expect(login.spent).toEqual(respected ? [] : ['r1'])
  })
})
