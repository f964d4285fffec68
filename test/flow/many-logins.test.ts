import { describe, expect, it } from 'vitest'
import { onDemand, refreshing } from '../support/refreshing.js'

const world = refreshing()
type Login = Awaited<ReturnType<typeof world.login>>

const replaced = async (login: Login): Promise<readonly string[]> =>
  ((await login.record())?.replaced ?? []).map(({ refresh_token }) => refresh_token)

const size = async (login: Login): Promise<number> => JSON.stringify(await login.record()).length

const revoked = (): readonly (string | null)[] =>
  world.server.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => new URLSearchParams(body).get('token'))

describe('the record of a person who signs in again and again', () => {
  it('remembers the last 16 refresh tokens that a login replaced, to revoke them one day', async () => {
    const login = await world.login()
    const sizes: number[] = []
    for (let time = 1; time <= 50; time++) {
      await login.connection.authorize({ force: true })
      if (time > 16) sizes.push(await size(login))
    }
    expect(await replaced(login)).toHaveLength(16)
    // A number gets one more digit now and then; no login makes the record longer.
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(150)
  })

  it('remembers none that the server refused: there is nothing left to revoke', async () => {
    const login = await world.login()
    const sizes: number[] = []
    for (let time = 1; time <= 50; time++) {
      world.server.refreshTokens.clear()
      await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
      await login.connection.authorize()
      expect(await replaced(login)).toEqual([])
      sizes.push(await size(login))
    }
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(50)
    await login.connection.signOut()
    expect(revoked()).toHaveLength(2)
  })
})

describe('signing out after many logins', () => {
  it('revokes all that the record names at once, and not one after the other', async () => {
    const login = await world.login()
    for (let time = 0; time < 5; time++) await login.connection.authorize({ force: true })
    const all = [...(await replaced(login)), 'the present one']
    const gate = onDemand()
    let waiting = 0
    world.server.routes.revoke = async () => {
      waiting++
      // The first answers come when the last request is there: who waits for one of them waits for ever.
      if (waiting === all.length) gate.answer({})
      return gate.route()
    }
    await login.connection.signOut()
    expect(new Set(revoked()).size).toBe(all.length + 1)
    expect(await login.record()).not.toHaveProperty('replaced')
    expect(login.seen.diagnostics).toEqual([])
  })

  it.each<[string, () => Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('vault down'))],
    [
      'throws',
      () => {
        throw new Error('vault down')
      },
    ],
  ])('where the supplier of the secret %s: the person is signed out, and it is said', async (_name, clientSecret) => {
    const login = await world.login({
      seed: { client: { origin: 'registered', token_endpoint_auth_method: 'client_secret_post' } },
      client: { registered: { issuer: world.server.issuer, clientId: 'seeded', clientSecret } },
    })
    await login.connection.signOut()
    expect(login.connection.getSnapshot().status).toBe('signed_out')
    expect(revoked()).toEqual([])
    expect(login.seen.diagnostics).toMatchObject([
      { code: 'revocation_failed', expected: 'the refresh_token revoked' },
      { code: 'revocation_failed', expected: 'the access_token revoked' },
    ])
    // The next sign-out tries again what could not be revoked.
    expect(await replaced(login)).toEqual(['r1'])
  })
})
