import { describe, expect, it } from 'vitest'
import type { Answer } from '../../servers/index.js'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'

const world = refreshing()
const oauth = (status: number, error: string): Answer => ({ status, json: { error } })
const past = 400_000

describe('a server that cannot answer now: the login is kept, and no page is shown', () => {
  it.each<[string, Answer]>([
    ['503', { status: 503 }],
    ['503 with an OAuth error', oauth(503, 'temporarily_unavailable')],
    ['429', { status: 429, body: 'slow down' }],
    ['429 with an OAuth error', oauth(429, 'invalid_grant')],
    ['408', { status: 408 }],
    ['425', { status: 425 }],
    ['400 temporarily_unavailable', oauth(400, 'temporarily_unavailable')],
    ['400 server_error', oauth(400, 'server_error')],
    ['403 of a gateway', { status: 403, body: '<html>Forbidden</html>' }],
    ['404', { status: 404, body: 'no such page' }],
  ])('%s', async (_name, answer) => {
    const login = await world.login()
    world.server.routes.token = answer
    await login.clock.advance(past)
    await expect(ping(login.connection)).rejects.toMatchObject({
      code: 'server_unavailable',
      step: 'refresh',
      url: `${world.server.issuer}/token`,
      action: 'retry_at',
      retryAt: login.clock.now() + 5_000,
    })
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r1' } } })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(await login.record()).not.toHaveProperty('unanswered')
    expect(login.connection.getSnapshot().status).toBe('signed_in')
    expect(login.seen.types).toEqual(['kept'])

    await login.clock.advance(5_000)
    delete world.server.routes.token
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.agent.begun).toBe(0)
  })

  it('nothing is sent before it is time again, in this process or another', async () => {
    const login = await world.login()
    world.server.routes.token = { status: 503, headers: { 'retry-after': '120' } }
    await login.clock.advance(past)
    const retryAt = login.clock.now() + 120_000
    const unavailable = { code: 'server_unavailable', retryAt }
    await expect(ping(login.connection)).rejects.toMatchObject(unavailable)
    await login.clock.advance(119_999)
    await expect(ping(login.connection)).rejects.toMatchObject(unavailable)
    await expect(ping(login.another())).rejects.toMatchObject(unavailable)
    expect(login.spent).toEqual(['r1'])
    await login.clock.advance(1)
    delete world.server.routes.token
    expect((await ping(login.another())).status).toBe(200)
    expect(login.spent).toEqual(['r1', 'r1'])
  })

  it('it is left alone for longer as long as it cannot answer, and a first failure is one again after it could', async () => {
    const login = await world.login()
    const refused: number[] = []
    world.server.routes.token = { status: 503 }
    await login.clock.advance(past)
    for (const waitMs of [0, 5_000, 20_000, 20_000]) {
      await login.clock.advance(waitMs)
      const error = await login.connection.token().catch((error) => error)
      refused.push(error.retryAt - login.clock.now())
    }
    expect(refused).toEqual([5_000, 20_000, 20_000, 20_000])
    delete world.server.routes.token
    await login.clock.advance(20_000)
    expect((await ping(login.connection)).status).toBe(200)

    world.server.routes.token = { status: 503 }
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
      retryAt: login.clock.now() + 5_000,
    })
  })

  it('a token that has life left is used meanwhile', async () => {
    const login = await world.login()
    world.server.routes.token = { status: 503 }
    await login.clock.advance(250_000)
    for (let time = 0; time < 3; time++) expect((await ping(login.connection)).status).toBe(200)
    expect((await login.connection.token()).accessToken).toBe('a1')
    expect(login.spent).toEqual(['r1'])
  })
})

describe('a refresh token that is rejected', () => {
  it.each<[string, Answer]>([
    ['400 invalid_grant', oauth(400, 'invalid_grant')],
    ['401 invalid_grant', oauth(401, 'invalid_grant')],
    ['400 invalid_request', oauth(400, 'invalid_request')],
    ['401 invalid_client', oauth(401, 'invalid_client')],
    ['400 unauthorized_client', oauth(400, 'unauthorized_client')],
    ['200 with an OAuth error', oauth(200, 'invalid_grant')],
    ['a form', { status: 400, body: 'error=invalid_grant&error_description=gone' }],
  ])('%s: a person is needed, and it is never sent again', async (_name, answer) => {
    const login = await world.login({ interaction: 'explicit' })
    world.server.routes.token = answer
    await login.clock.advance(past)
    world.server.accessTokens.delete('a1')
    for (let time = 0; time < 2; time++) {
      await expect(ping(login.connection)).rejects.toMatchObject({
        code: 'interaction_required',
        interaction: { url: world.server.url, reason: 'login_ended' },
      })
    }
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    await expect(ping(login.another())).rejects.toMatchObject({ code: 'interaction_required' })
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ phase: 'spent' })
    expect(login.seen.types).toEqual(['spent'])
    expect(login.connection.getSnapshot().status).toBe('consent_needed')
  })

  it('says why, to the log', async () => {
    const login = await world.login()
    world.server.routes.token = { status: 400, json: { error: 'invalid_grant', error_description: 'revoked' } }
    await login.connection.token({ refresh: true }).catch(() => undefined)
    expect(login.seen.events.find(({ type }) => type === 'spent')?.error).toMatchObject({
      code: 'token_request_rejected',
      step: 'refresh',
      oauth: { error: 'invalid_grant', error_description: 'revoked' },
    })
  })

  it('while the access token has life left: that one still serves', async () => {
    const login = await world.login()
    world.server.routes.token = oauth(400, 'invalid_grant')
    await login.clock.advance(250_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ phase: 'spent' })
  })

  it('where a login may be opened: it is, and the request goes through', async () => {
    const login = await world.login()
    world.server.refreshTokens.delete('r1')
    world.server.accessTokens.delete('a1')
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.agent.begun).toBe(1)
    expect(login.spent).toEqual(['r1', null])
    expect(await login.record()).toMatchObject({ phase: 'valid' })
  })
})
