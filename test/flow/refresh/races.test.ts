import { describe, expect, it } from 'vitest'
import { ping } from '../../support/mcp-client.js'
import { onDemand, refreshing, tokenResponse } from '../../support/refreshing.js'

const world = refreshing()
const revoked = (): readonly (string | null)[] =>
  world.server.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => new URLSearchParams(body).get('token'))

/** A refresh whose answer the test gives, and a login that has begun meanwhile and waits for it. */
async function loginBesideRefresh() {
  const login = await world.login()
  const late = onDemand()
  let first = true
  world.server.routes.token = (_request, usual) => {
    if (!first) return usual()
    first = false
    return late.route()
  }
  const refreshed = login.connection.token({ refresh: true })
  await late.asked
  const signedIn = login.connection.authorize({ force: true })
  await login.clock.asleep(250)
  return { login, late, refreshed, signedIn }
}

describe('signing out while a refresh is under way', () => {
  it('waits for nobody, and what the late answer brings is revoked', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const asked = login.connection.token({ refresh: true })
    await late.asked
    await login.connection.signOut()
    expect(login.connection.getSnapshot().status).toBe('signed_out')
    expect(revoked()).toEqual(['r1', 'a1'])

    late.answer(tokenResponse({ refresh_token: 'r2' }))
    await expect(asked).rejects.toMatchObject({ code: 'interaction_required' })
    expect(revoked()).toEqual(['r1', 'a1', 'r2'])
    expect(await login.record()).toEqual({ phase: 'absent', turn: 4, got: 3 })
    expect(login.connection.getSnapshot()).toEqual({ status: 'signed_out', refreshing: false })
  })

  it('is kept to when the late answer comes to another process than the one that signed out', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const asked = login.another().token({ refresh: true })
    await late.asked
    await login.connection.signOut()
    late.answer(tokenResponse({ refresh_token: 'r2' }))
    await expect(asked).rejects.toMatchObject({ code: 'interaction_required' })
    expect(revoked()).toContain('r2')
    expect(await login.record()).toMatchObject({ phase: 'absent' })
  })
})

describe('a login that begins while a sign-out revokes', () => {
  /** A server whose revocation the test answers, a sign-out that waits for it, and a login that follows. */
  async function loginBesideRevocation() {
    const login = await world.login()
    const slow = onDemand()
    world.server.routes.revoke = slow.route
    const signedOut = login.connection.signOut()
    await slow.asked
    const exchanged = () => world.server.requests.filter(({ path }) => path === '/token').length
    const signedIn = login.another().authorize()
    await login.clock.asleep(250)
    return { login, slow, signedOut, signedIn, exchanged }
  }

  it('exchanges its code when that is over: some servers revoke all that a user has granted', async () => {
    const { login, slow, signedOut, signedIn, exchanged } = await loginBesideRevocation()
    expect(exchanged()).toBe(0)
    slow.answer({})
    await signedOut
    await login.clock.advance(250)
    expect(await signedIn).toMatchObject({ status: 'signed_in' })
  })

  it('waits ten seconds for it and no longer', async () => {
    const { login, slow, signedOut, signedIn } = await loginBesideRevocation()
    await login.clock.advance(10_000)
    expect(await signedIn).toMatchObject({ status: 'signed_in' })
    slow.answer({})
    await signedOut
    expect(await login.record()).toMatchObject({ phase: 'valid' })
    expect(await login.record()).not.toHaveProperty('lease')
  })
})

describe('signing out while a login is under way', () => {
  it('before the code: the login is given up', async () => {
    const login = await world.login()
    const page = onDemand()
    world.server.routes.authorize = page.route
    const asked = login.connection.authorize({ force: true })
    const cancelled = expect(asked).rejects.toMatchObject({ code: 'login_cancelled', step: 'sign_out' })
    await page.asked
    await login.connection.signOut()
    await cancelled
    expect(login.connection.getSnapshot().status).toBe('signed_out')
    page.answer({ status: 302, headers: { location: 'http://127.0.0.1:1/callback' } })
    expect(await login.record()).toMatchObject({ phase: 'absent' })
    expect(login.agent.ends).toMatchObject([{ ok: false, error: { code: 'login_cancelled' } }])
  })

  it('during the exchange of the code: what it brings is revoked, and the person stays signed out', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const asked = login.connection.authorize({ force: true })
    await late.asked
    await login.connection.signOut()
    const cancelled = expect(asked).rejects.toMatchObject({ code: 'login_cancelled' })
    late.answer(tokenResponse({ access_token: 'a9', refresh_token: 'r9' }))
    await cancelled
    expect(revoked()).toContain('r9')
    expect(await login.record()).toMatchObject({ phase: 'absent' })
    expect(await login.record()).not.toHaveProperty('replaced')
    expect(login.connection.getSnapshot().status).toBe('signed_out')
  })
})

describe('a login over a login', () => {
  it('keeps the refresh token that it replaces until the sign-out, and revokes it then', async () => {
    const login = await world.login()
    await login.connection.authorize({ force: true })
    expect(revoked()).toEqual([])
    const record = await login.record()
    expect(record?.replaced?.map(({ refresh_token }) => refresh_token)).toEqual(['r1'])
    const own = record?.phase === 'valid' ? record.granted.tokens : undefined

    await login.connection.signOut()
    expect(revoked()).toEqual(['r1', own?.refresh_token, own?.access_token])
    expect(await login.record()).not.toHaveProperty('replaced')
  })

  it('waits for a refresh that is under way, and then its tokens win', async () => {
    const { login, late, refreshed, signedIn } = await loginBesideRefresh()
    late.answer(tokenResponse({ refresh_token: 'r2' }))
    await refreshed
    await login.clock.advance(250)
    expect(await signedIn).toMatchObject({ status: 'signed_in' })
    const record = await login.record()
    expect(record?.replaced?.map(({ refresh_token }) => refresh_token)).toEqual(['r2'])
    expect(record).not.toHaveProperty('lease')
  })

  it('waits for it ten seconds; what comes later is kept to be revoked', async () => {
    const { login, late, refreshed, signedIn } = await loginBesideRefresh()
    await login.clock.advance(10_000)
    await signedIn
    const { accessToken } = await login.connection.token()
    late.answer(tokenResponse({ access_token: 'late', refresh_token: 'r2' }))
    expect((await refreshed).accessToken).toBe(accessToken)
    expect((await login.record())?.replaced?.map(({ refresh_token }) => refresh_token)).toEqual(['r1', 'r2'])
  })
})

describe('closing', () => {
  it('waits for a refresh that is under way until it is stored', async () => {
    const login = await world.login()
    const late = onDemand()
    world.server.routes.token = late.route
    const asked = login.connection.token({ refresh: true })
    await late.asked
    let closed = false
    const closing = login.connector.close().then(() => {
      closed = true
    })
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'connector_closed' })
    expect(closed).toBe(false)
    late.answer(tokenResponse({ refresh_token: 'r2' }))
    await Promise.all([closing, asked])
    expect(await login.record()).toMatchObject({ phase: 'valid', granted: { tokens: { refresh_token: 'r2' } } })
  })

  it('leaves what is stored where it is, and no timer', async () => {
    const login = await world.login()
    await ping(login.connection)
    await login.connector.close()
    expect(login.clock.sleeping).toEqual([])
    expect(await login.record()).toMatchObject({ phase: 'valid' })
    expect(revoked()).toEqual([])
  })

  it('ends everything that is asked of it afterwards', async () => {
    const { connector, connection } = await world.login()
    await connector.close()
    await connector.close()
    const closed = { code: 'connector_closed', action: 'fix_configuration', hint: 'Create a new connector.' }
    for (const call of [
      () => ping(connection),
      () => connection.authorize(),
      () => connection.token(),
      () => connection.signOut(),
    ]) {
      await expect(call()).rejects.toMatchObject(closed)
    }
  })
})
