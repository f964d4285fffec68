import { type ConnectorOptions, memoryStore, type Secret, type Store } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { onDemand, refreshing, tokenResponse } from '../../support/refreshing.js'
import { START } from '../../support/simulated-clock.js'

const world = refreshing()

/** A client that was registered by hand, as it is in the record, and as the host brings it. */
const seed = { client: { origin: 'registered', token_endpoint_auth_method: 'client_secret_post' } } as const
const client = (clientSecret: Secret): ConnectorOptions => ({
  client: { registered: { issuer: world.server.issuer, clientId: 'seeded', clientSecret } },
})

/** A store that refuses to write a record with these words, as often as it is told to. */
function refusing(words: string): Store & { times: number } {
  const store = memoryStore(() => START)
  return {
    ...store,
    times: 0,
    async replace(key, expected, value, options) {
      if (this.times > 0 && value?.includes(words)) {
        this.times -= 1
        throw new Error('disk hiccup')
      }
      return store.replace(key, expected, value, options)
    },
  }
}

const refreshed = { accessToken: expect.stringMatching(/^scripted-access-token/) }

// The clock stands still where nothing moves it: a connector that had to wait for a lease would wait for ever.
describe('a refresh that fails on the side of the host holds nobody else up', () => {
  it('no secret for a client that needs one: a connector that has it goes on at once', async () => {
    const login = await world.login({ seed })
    const other = login.another(client('the right secret'))
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'client_authentication_unsupported',
    })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(login.spent).toEqual([])
    expect(await other.token({ refresh: true })).toMatchObject(refreshed)
  })

  it.each<[string, () => Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('vault down'))],
    [
      'throws',
      () => {
        throw new Error('vault down')
      },
    ],
  ])('the supplier of the secret %s', async (_name, supplier) => {
    const login = await world.login({ seed })
    const [broken, other] = [login.another(client(supplier)), login.another(client('the right secret'))]
    await expect(broken.token({ refresh: true })).rejects.toMatchObject({
      code: 'options_invalid',
      step: 'authenticate',
      expected: 'a secret from its supplier',
      cause: new Error('vault down'),
    })
    expect(await login.record()).not.toHaveProperty('lease')
    expect(login.spent).toEqual([])
    expect(await other.token({ refresh: true })).toMatchObject(refreshed)
  })

  it('the supplier fails when it is asked again, because the secret was refused', async () => {
    const login = await world.login({ seed })
    const answers = [Promise.resolve('an old secret')]
    const broken = login.another(client(() => answers.pop() ?? Promise.reject(new Error('vault down'))))
    world.server.routes.token = { status: 401, json: { error: 'invalid_client' } }
    await expect(broken.token({ refresh: true })).rejects.toMatchObject({ code: 'options_invalid' })
    expect(await login.record()).not.toHaveProperty('lease')
    delete world.server.routes.token
    const other = login.another(client('the right secret'))
    expect(await other.token({ refresh: true })).toMatchObject(refreshed)
  })

  it('a newer secret of the supplier is tried when the one it gave was refused', async () => {
    const login = await world.login({ seed })
    const secrets = ['the new secret', 'the old secret']
    world.server.routes.token = ({ body }, usual) =>
      body.includes('the+old+secret') ? { status: 401, json: { error: 'invalid_client' } } : usual()
    const connection = login.another(client(async () => secrets.pop() ?? 'none'))
    expect(await connection.token({ refresh: true })).toMatchObject(refreshed)
    expect(login.spent).toEqual(['r1', 'r1'])
  })
})

describe('a store that refuses a single write of a refresh', () => {
  it('the mark that it was sent: nothing is sent, and another may at once', async () => {
    const store = refusing('"sent":true')
    const login = await world.login({ store })
    store.times = 1
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(login.spent).toEqual([])
    expect(await login.record()).not.toHaveProperty('lease')
    expect(await login.another().token({ refresh: true })).toMatchObject(refreshed)
  })

  it('that the server could not answer: it is written a second later, and the lease is gone', async () => {
    const store = refusing('retry_at')
    const login = await world.login({ store })
    world.server.routes.token = { status: 503 }
    store.times = 1
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'server_unavailable' })
    expect(await login.record()).toMatchObject({ lease: { sent: true } })
    await login.clock.asleep(1_000)
    await login.clock.advance(1_000)
    expect(await login.record()).toMatchObject({ phase: 'valid', retry_at: START + 5_000 })
    expect(await login.record()).not.toHaveProperty('lease')

    delete world.server.routes.token
    await login.clock.advance(4_000)
    expect(await login.another().token({ refresh: true })).toMatchObject(refreshed)
  })

  it('that the server refused it for good: likewise, and nobody sends it again', async () => {
    const store = refusing('"spent"')
    const login = await world.login({ store })
    world.server.refreshTokens.clear()
    store.times = 1
    await expect(login.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    await login.clock.asleep(1_000)
    await login.clock.advance(1_000)
    expect(await login.record()).toMatchObject({ phase: 'spent' })
    expect(await login.record()).not.toHaveProperty('lease')
    await expect(login.another().token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(login.spent).toEqual(['r1'])
  })

  it.each([1, 2])(
    'the new tokens, refused %i times while the connector closes: they are stored in the end',
    async (times) => {
      const store = refusing('"a2"')
      const login = await world.login({ store })
      const late = onDemand()
      world.server.routes.token = late.route
      const refresh = login.connection.token({ refresh: true })
      await late.asked
      store.times = times
      const closed = login.connector.close()
      late.answer(tokenResponse({}))
      for (let time = 0; time < times; time++) {
        await login.clock.asleep(1_000 * 2 ** time)
        await login.clock.advance(1_000 * 2 ** time)
      }
      await closed
      expect((await refresh).accessToken).toBe('a2')
      expect(await login.record()).toMatchObject({ granted: { tokens: { access_token: 'a2', refresh_token: 'r2' } } })
      expect(await login.record()).not.toHaveProperty('lease')
      expect(login.clock.sleeping).toEqual([])
    },
  )
})
