import { memoryStore, type Store } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'
import { START } from '../../support/simulated-clock.js'
import { soon } from '../../support/soon.js'

const world = refreshing()
const past = 400_000

/** A store that refuses some writes while it is told to. */
function refusing(refuses: (value: string) => boolean): Store & { full: boolean } {
  const store = memoryStore(() => START)
  return {
    ...store,
    name: 'a full disk',
    full: false,
    async replace(key, expected, next, options) {
      if (this.full && next !== undefined && refuses(next)) throw new Error('no space left')
      return store.replace(key, expected, next, options)
    },
  }
}

describe('a store that refuses to write the new tokens', () => {
  const newTokens = (value: string): boolean => value.includes('scripted-access-token')

  async function refreshed() {
    const store = refusing(newTokens)
    const login = await world.login({ store })
    store.full = true
    await login.clock.advance(past)
    expect((await ping(login.connection)).status).toBe(200)
    return { login, store }
  }

  it('they serve from memory, and it is said', async () => {
    const { login } = await refreshed()
    expect((await ping(login.connection)).status).toBe(200)
    expect((await login.connection.token()).accessToken).toMatch(/^scripted-access-token/)
    expect(login.spent).toEqual(['r1'])
    expect(login.seen.types).toEqual(['kept', 'refreshed'])
    expect(login.seen.events.find(({ type }) => type === 'kept')?.error).toMatchObject({
      code: 'store_unavailable',
      received: 'no space left',
    })
  })

  it('the record still says that the old refresh token was sent: nobody else may send it', async () => {
    const { login } = await refreshed()
    expect(await login.record()).toMatchObject({
      phase: 'valid',
      granted: { tokens: { refresh_token: 'r1' } },
      lease: { sent: true },
    })
  })

  it('writing is tried again until it works', async () => {
    const { login, store } = await refreshed()
    await login.clock.asleep(1_000)
    await login.clock.advance(1_000)
    await login.clock.asleep(2_000)
    store.full = false
    await login.clock.advance(2_000)
    await soon(() => login.record()).toMatchObject({
      granted: { tokens: { refresh_token: expect.stringMatching(/^scripted-refresh-token/) } },
    })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(login.clock.sleeping).toEqual([])
  })

  it('writing is tried again every fifteen seconds at least: others wait as long as it is not done', async () => {
    const { login } = await refreshed()
    for (const ms of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]) {
      await login.clock.asleep(ms)
      await login.clock.advance(ms)
    }
  })

  it('a sign-out revokes them, although they were never stored', async () => {
    const { login, store } = await refreshed()
    const { accessToken } = await login.connection.token()
    store.full = false
    await login.connection.signOut()
    const revoked = world.server.requests
      .filter(({ path }) => path === '/revoke')
      .map(({ body }) => new URLSearchParams(body).get('token'))
    expect(revoked).toEqual([expect.stringMatching(/^scripted-refresh-token/), accessToken])
    await login.clock.advance(10_000)
    expect(await login.record()).toMatchObject({ phase: 'absent' })
    expect(await login.record()).not.toHaveProperty('replaced')
  })

  it('closing is the moment for a last try, and leaves no timer', async () => {
    const one = await refreshed()
    one.store.full = false
    await one.login.connector.close()
    expect(await one.login.record()).toMatchObject({
      granted: { tokens: { refresh_token: expect.stringMatching(/^scripted-refresh-token/) } },
    })
    expect(one.login.clock.sleeping).toEqual([])

    const two = await refreshed()
    await two.login.connector.close()
    expect(two.login.clock.sleeping).toEqual([])
  })

  it('a look at the record meanwhile does not bring the old ones back', async () => {
    const { login, store } = await refreshed()
    world.server.accessTokens.clear()
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(login.spent).toEqual(['r1'])
    store.full = false
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual(['r1', expect.stringMatching(/^scripted-refresh-token/)])
    const { accessToken } = await login.connection.token()
    await login.clock.advance(10_000)
    expect(await login.record()).toMatchObject({ granted: { tokens: { access_token: accessToken } } })
    expect(login.agent.begun).toBe(0)
  })
})

describe('a store that refuses every write', () => {
  it('keeps the refresh token from being sent: two processes might', async () => {
    const store = refusing(() => true)
    const login = await world.login({ store })
    store.full = true
    await login.clock.advance(past)
    await expect(ping(login.connection)).rejects.toMatchObject({
      code: 'store_unavailable',
      step: 'write',
      expected: expect.stringContaining('a full disk'),
      action: 'fix_configuration',
    })
    expect(login.spent).toEqual([])
  })

  it('leaves a token that has life left in use', async () => {
    const store = refusing(() => true)
    const login = await world.login({ store })
    store.full = true
    await login.clock.advance(250_000)
    expect((await ping(login.connection)).status).toBe(200)
  })
})
