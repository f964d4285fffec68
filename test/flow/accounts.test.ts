import { type ConnectorOptions, CountersignError, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { grantIn, type Seed, seedGrant } from '../support/seeded.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
let store: Store

beforeEach(async () => {
  server = open(await scriptedAuthorization())
  store = memoryStore()
})

function process(options: ConnectorOptions = {}) {
  const seen = collector()
  const agent = scriptedAgent()
  const connector = open(createConnector({ appId: 'test', store, userAgent: agent, log: seen.log, ...options }))
  return { connector, seen, agent, connect: (account: string) => connector.connect(server.url, { account }) }
}

/** A login that an earlier process left. */
async function left(account: string | undefined, more: Partial<Seed> = {}, url = server.url): Promise<void> {
  const tokens = { access_token: `a-${account}`, token_type: 'Bearer', issued_at: 0, refresh_token: `r-${account}` }
  server.refreshTokens.add(`r-${account}`)
  await seedGrant(store, { url, ...(account && { account }), ...more, tokens: { ...tokens, ...more.tokens } as never })
}

const keyOf = async (account: string): Promise<string> => {
  for (const key of await store.keys('test/grant/')) {
    if ((await store.get(key))?.includes(`"account":"${account}"`)) return key
  }
  throw new Error(`nothing is stored for ${account}`)
}

const revoked = (): readonly (string | null)[] =>
  server.requests
    .filter(({ path }) => path === '/revoke')
    .map(({ body }) => new URLSearchParams(body).get('token'))
    .sort()

describe('several accounts of one server', () => {
  it('have a login each, and each request carries its own', async () => {
    const { connect } = process()
    const [alice, bob] = [connect('alice'), connect('bob')]
    await alice.authorize()
    await bob.authorize()
    const [a, b] = await Promise.all([alice.token(), bob.token()])
    expect(a.accessToken).not.toBe(b.accessToken)
    server.clearRequests()
    await ping(bob)
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${b.accessToken}`)
  })

  it('are signed out one by one: the other stays', async () => {
    const { connect } = process()
    const [alice, bob] = [connect('alice'), connect('bob')]
    await alice.authorize()
    await bob.authorize()
    await alice.signOut()
    expect(alice.getSnapshot().status).toBe('signed_out')
    await ping(bob)
    expect(bob.getSnapshot().status).toBe('signed_in')
  })
})

describe('connections() lists what the store holds', () => {
  it('each login, by URL and account, whichever process signed in', async () => {
    const first = process()
    await first.connect('bob').authorize()
    await first.connector.connect(server.url).authorize()
    await first.connect('alice').authorize({ scope: 'notes:read' })

    const listed = await process({ interaction: 'never' }).connector.connections()
    const about = { url: server.url, issuer: server.issuer, expiresAt: expect.any(Number), renewable: true }
    expect(listed).toEqual([
      { ...about },
      { ...about, account: 'alice', scope: 'notes:read' },
      { ...about, account: 'bob' },
    ])
  })

  it('a login that has expired and cannot be renewed is held all the same, and says so', async () => {
    await left('alice', { record: { phase: 'spent' }, tokens: { expires_at: 1 } as never })
    expect(await process().connector.connections()).toMatchObject([
      { account: 'alice', expiresAt: 1, renewable: false },
    ])
  })

  it('what it lists can be connected to as it is, query and all', async () => {
    await left('alice', {}, `${server.url}?tenant=7`)
    const { connector } = process()
    const [stored] = await connector.connections()
    const { account } = stored!
    const connection = connector.connect(stored!.url, { account: account! })
    expect((await connection.token()).accessToken).toBe('a-alice')
  })

  it('no login that was ended', async () => {
    const { connect, connector } = process()
    await connect('alice').authorize()
    await connect('alice').signOut()
    expect(await store.keys('test/grant/')).toHaveLength(1)
    expect(await connector.connections()).toEqual([])
  })

  it('nothing of another application, even where its name begins with this one’s', async () => {
    await left('alice')
    const record = await store.get(await keyOf('alice'))
    for (const appId of ['test/grant', 'test2', 'other']) {
      await store.replace(`${appId}/grant/q1ZvJx3y8zQ0yK4mV5d0o2bN7cT9wR6sE1hU-fL_gAI`, undefined, record)
    }
    const { connector } = process()
    expect(await connector.connections()).toHaveLength(1)
    await connector.signOut({ account: 'alice' })
    for (const appId of ['test/grant', 'test2', 'other']) {
      const key = `${appId}/grant/q1ZvJx3y8zQ0yK4mV5d0o2bN7cT9wR6sE1hU-fL_gAI`
      expect(await store.get(key)).toBe(record)
    }
  })

  it.each([
    ['broken', '{"format":1,'],
    ['of a later format', '{"format":99,"value":{"url":"https://mcp.example"}}'],
    ['that is no record', '[]'],
  ])('what can be read, beside a record %s, which is told of and stays', async (_name, text) => {
    await left('alice')
    await left('bob')
    const key = await keyOf('bob')
    await store.replace(key, await store.get(key), text)
    const { connector, seen } = process()
    expect(await connector.connections()).toMatchObject([{ account: 'alice' }])
    expect(seen.diagnostics).toMatchObject([{ code: 'record_discarded', url: key }])
    expect(await store.get(key)).toBe(text)
  })

  it('what can be read, beside a record that the store cannot open', async () => {
    await left('alice')
    await left('bob')
    const key = await keyOf('bob')
    const failing: Store = {
      ...store,
      get: (asked) => (asked === key ? Promise.reject(new Error('no key opens it')) : store.get(asked)),
    }
    const { connector, seen } = process({ store: failing })
    expect(await connector.connections()).toMatchObject([{ account: 'alice' }])
    expect(seen.diagnostics).toMatchObject([
      { code: 'record_unreadable', url: key, received: expect.stringContaining('no key opens it') },
    ])
  })

  it.each(['keys', 'get'] as const)('a store whose %s fails is an error, and no empty list', async (method) => {
    await left('alice')
    const failing: Store = { ...store, [method]: () => Promise.reject(new Error('the database is away')) }
    await expect(process({ store: failing }).connector.connections()).rejects.toMatchObject({
      code: 'store_unavailable',
      received: 'the database is away',
    })
  })

  it('nothing once the connector is closed', async () => {
    const { connector } = process()
    await connector.close()
    await expect(connector.connections()).rejects.toMatchObject({ code: 'connector_closed' })
    await expect(connector.signOut({ account: 'alice' })).rejects.toMatchObject({ code: 'connector_closed' })
  })
})

describe('signOut({ account }) ends every login of that account', () => {
  it('on every server, those that nobody holds too: tombstones, then revocations', async () => {
    const other = open(await scriptedAuthorization())
    await left('alice')
    await left('alice', { tokens: { refresh_token: 'r-other' } as never }, other.url)
    await left('bob')
    const { connector, seen } = process()
    await connector.signOut({ account: 'alice' })

    expect(await grantIn(store, server.url, 'alice')).toMatchObject({ phase: 'absent', got: 2 })
    expect(await grantIn(store, other.url, 'alice')).toMatchObject({ phase: 'absent', got: 2 })
    expect(revoked()).toEqual(['a-alice', 'r-alice'])
    expect(other.requests.filter(({ path }) => path === '/revoke')).toHaveLength(2)
    expect(seen.types).toEqual(['signed_out', 'signed_out'])
    expect(await connector.connections()).toMatchObject([{ account: 'bob' }])
  })

  it('the connections that are held show it, and no request signs in again by itself', async () => {
    const { connector, agent } = process({ interaction: 'on-demand' })
    const alice = connector.connect(server.url, { account: 'alice' })
    await alice.authorize()
    await connector.signOut({ account: 'alice' })
    expect(alice.getSnapshot()).toEqual({ status: 'signed_out', refreshing: false })
    await expect(ping(alice)).rejects.toMatchObject({ code: 'interaction_required', received: 'a sign-out' })
    expect(agent.begun).toBe(1)
  })

  it('a login under way is given up', async () => {
    const userAgent = scriptedAgent({ browser: () => new Promise(() => undefined) })
    const { connector } = process({ userAgent })
    const login = connector.connect(server.url, { account: 'alice' }).authorize()
    await expect.poll(async () => (await store.keys('test/attempt/')).length).toBe(1)
    await connector.signOut({ account: 'alice' })
    await expect(login).rejects.toMatchObject({ code: 'login_cancelled' })
  })

  it('what another process holds is signed out too, by its next look at the store', async () => {
    const clock = shiftedClock()
    const there = process({ clock })
    const alice = there.connect('alice')
    await alice.authorize()
    await process().connector.signOut({ account: 'alice' })
    clock.forward(400_000)
    await expect(alice.token()).rejects.toMatchObject({ code: 'interaction_required' })
  })

  it('an account that nobody has is nothing to end', async () => {
    await left('alice')
    await process().connector.signOut({ account: 'nobody' })
    expect(await grantIn(store, server.url, 'alice')).toMatchObject({ phase: 'valid' })
  })

  it('a record that cannot be written is an error, and the others are ended all the same', async () => {
    await left('alice')
    await left('alice', {}, `${server.url}?other`)
    let refused: string | undefined
    const failing: Store = {
      ...store,
      replace: async (key, ...rest) => {
        refused ??= key
        if (key === refused) throw new Error('read-only')
        return store.replace(key, ...rest)
      },
    }
    const { connector } = process({ store: failing })
    await expect(connector.signOut({ account: 'alice' })).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await connector.connections()).toHaveLength(1)
  })

  it('where the store cannot list, what is held here is ended before that is said', async () => {
    const failing: Store = {
      ...store,
      keys: (prefix) => (prefix.includes('/grant/') ? Promise.reject(new Error('no scan')) : store.keys(prefix)),
    }
    const { connect, connector } = process({ store: failing })
    await connect('alice').authorize()
    await expect(connector.signOut({ account: 'alice' })).rejects.toMatchObject({
      code: 'store_unavailable',
      received: 'no scan',
    })
    expect(connect('alice').getSnapshot().status).toBe('signed_out')
  })

  it('an account that is undefined by mistake ends nothing', async () => {
    await left(undefined)
    const { connector } = process()
    const error = await connector.signOut({} as never).catch((reason: unknown) => reason)
    expect(CountersignError.is(error) && error.code).toBe('options_invalid')
    expect(await connector.connections()).toHaveLength(1)
  })
})
