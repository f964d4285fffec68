import { describe, expect, it } from 'vitest'
import type { Answer } from '../../servers/index.js'
import { ping } from '../../support/mcp-client.js'
import { onDemand, refreshing, tokenResponse } from '../../support/refreshing.js'

const world = refreshing()
const past = 400_000

/** Answers the first token requests with these, and then as usual. */
const answering = (...answers: readonly Answer[]): void => {
  let at = 0
  world.server.routes.token = (_request, usual) => answers[at++] ?? usual()
}

describe('an answer that may have been lost after the commit', () => {
  const lost: readonly (readonly [string, Answer])[] = [
    ['a connection that is cut', { destroy: true }],
    ['an answer that breaks off', { headers: { 'content-length': '1000' }, body: '{"access_', destroy: true }],
    ['500', { status: 500 }],
    ['502 of a gateway', { status: 502, body: '<html>Bad gateway</html>' }],
    ['504', { status: 504 }],
    ['200 with a page', { body: '<!doctype html><title>Sign in</title>' }],
    ['200 without access_token', { json: { token_type: 'Bearer' } }],
    ['200 with a token that no header can carry', { json: { access_token: 'a\r\nb', token_type: 'Bearer' } }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }],
  ]

  it.each(lost)('%s: the token is sent once more at once, and that is all', async (_name, answer) => {
    const login = await world.login()
    world.server.routes.token = answer
    await login.clock.advance(past)
    await expect(ping(login.connection)).rejects.toMatchObject({
      code: 'refresh_outcome_unknown',
      step: 'refresh',
      url: `${world.server.issuer}/token`,
      action: 'retry_at',
      retryAt: login.clock.now() + 5_000,
    })
    expect(login.spent).toEqual(['r1', 'r1'])
    expect(await login.record()).toMatchObject({ phase: 'valid', unanswered: 1, retry_at: login.clock.now() + 5_000 })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(login.agent.begun).toBe(0)
  })

  it.each(lost)('%s: a server that forgives the repetition gives tokens', async (_name, answer) => {
    const login = await world.login()
    answering(answer)
    await login.clock.advance(past)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1', 'r1'])
    expect(await login.record()).not.toHaveProperty('unanswered')
    expect(login.seen.types).toEqual(['refreshed'])
  })

  it('is tried again later, once each time, after pauses that grow', async () => {
    const login = await world.login()
    world.server.routes.token = { status: 500 }
    await login.clock.advance(past)
    const pauses: number[] = []
    for (let time = 0; time < 6; time++) {
      const error = await ping(login.connection).catch((thrown) => thrown)
      expect(error.code).toBe('refresh_outcome_unknown')
      pauses.push((error.retryAt - login.clock.now()) / 1_000)
      await expect(ping(login.connection)).rejects.toMatchObject({ retryAt: error.retryAt })
      await login.clock.advance(error.retryAt - login.clock.now())
    }
    expect(pauses).toEqual([5, 20, 80, 320, 1280, 1280])
    expect(login.spent).toHaveLength(7)
  })

  it('and then a rejection: a lost rotation, not a mystery', async () => {
    const login = await world.login({ interaction: 'explicit' })
    answering({ status: 500 }, { status: 500 })
    await login.clock.advance(past)
    await ping(login.connection).catch(() => undefined)
    await login.clock.advance(5_000)
    world.server.refreshTokens.delete('r1')
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(login.seen.types).toEqual(['kept', 'rotation_lost'])
  })

  it('and then a server that cannot answer now: the doubt stays', async () => {
    const login = await world.login({ interaction: 'explicit' })
    answering({ destroy: true }, { status: 503 })
    await login.clock.advance(past)
    await expect(ping(login.connection)).rejects.toMatchObject({ action: 'retry_at' })
    expect(await login.record()).toMatchObject({ phase: 'valid', unanswered: 1 })
  })

  it('leaves a token that has life left in use', async () => {
    const login = await world.login()
    world.server.routes.token = { status: 500 }
    await login.clock.advance(250_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.agent.begun).toBe(0)
  })

  it('that has a refresh token all the same: it is the one that goes on', async () => {
    const login = await world.login()
    answering({ json: { token_type: 'Bearer', refresh_token: 'r2' } })
    world.server.refreshTokens.add('r2')
    await login.clock.advance(past)
    await ping(login.connection).catch(() => undefined)
    await login.clock.advance(5_000)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent.at(-1)).toBe('r2')
  })
})

describe('silence', () => {
  it('callers wait for a deadline and a half, the socket for three; then the outcome is unknown', async () => {
    const login = await world.login({ requestTimeoutMs: 30_000 })
    const silent = onDemand()
    world.server.routes.token = silent.route
    await login.clock.advance(past)
    const asked = ping(login.connection)
    await silent.asked
    const pending = expect(asked).rejects.toMatchObject({
      code: 'refresh_pending',
      step: 'refresh',
      action: 'retry_at',
    })
    await login.clock.advance(45_000)
    await pending
    expect(login.connection.getSnapshot()).toMatchObject({ status: 'signed_in', refreshing: true })

    const joined = expect(ping(login.connection)).rejects.toMatchObject({ code: 'refresh_outcome_unknown' })
    await login.clock.advance(45_000)
    await joined
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ phase: 'valid', unanswered: 1 })
    expect(login.agent.begun).toBe(0)
  })

  it('that ends in a late answer: it is stored, and the next request uses it', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    await login.clock.advance(past)
    const asked = ping(login.connection).catch((error) => error.code)
    await late.asked
    await login.clock.advance(60_000)
    expect(await asked).toBe('refresh_pending')
    world.server.accessTokens.add('a2')
    late.answer(tokenResponse({}))
    expect((await ping(login.connection)).status).toBe(200)
    expect((await login.connection.token()).accessToken).toBe('a2')
    expect(login.spent).toEqual(['r1'])
  })
})
