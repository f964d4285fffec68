import {
  type ConnectorOptions,
  clientCredentials,
  createConnector,
  dpop,
  type Keys,
  memoryKeys,
  memoryStore,
} from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { demandsProofs, type ProofDemands } from '../../support/proof-demanding.js'
import { shiftedClock } from '../../support/shifted-clock.js'
import { settled } from '../../support/simulated-clock.js'
import { recordIn, storedText } from '../../support/stored.js'
import { followRedirect, scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
const DAY_MS = 86_400_000

async function world(demands: Partial<ProofDemands> = {}) {
  const server = open(await scriptedAuthorization())
  const proofs = demandsProofs(server, demands)
  const clock = shiftedClock()
  const store = memoryStore(() => clock.now())
  const keys = memoryKeys()
  /** A connector over the same store and keys, as another process has it. */
  const connect = (options: ConnectorOptions = {}, proving = true) => {
    const agent = scriptedAgent()
    const all = {
      clock,
      store,
      keys,
      ...(proving && { dpop: dpop() }),
      ...(!options.credentials && { userAgent: agent }),
      ...options,
    }
    const connector = open(createConnector(all))
    return { connector, connection: connector.connect(server.url), agent }
  }
  const count = (path: string): number => server.requests.filter((request) => request.path === path).length
  const ids = async (): Promise<readonly string[]> => {
    await settled()
    return keys.ids()
  }
  return { server, proofs, clock, store, keys, connect, count, ids }
}

describe('the key of a login', () => {
  it('is made for it, named in its record, and cannot be exported', async () => {
    const { connect, store, keys, ids } = await world()
    const { connection } = connect()
    await ping(connection)
    const [id = ''] = await ids()
    expect(id).toMatch(/^countersign\/[0-9a-z]+\.[\w-]{22}$/)
    const { granted } = (await recordIn(store, 'grant')) as { granted: { target: object } }
    expect(granted.target).toMatchObject({ dpop_key_id: id })
    const pair = await keys.load(id)
    await expect(crypto.subtle.exportKey('jwk', pair!.privateKey)).rejects.toThrow()
    expect(await storedText(store)).not.toContain('"d"')
  })

  it('proves every token request of it, and every request with its token', {
    tags: ['rfc9449/refresh-key', 'rfc9449/token-requests', 'rfc9449/scheme'],
  }, async () => {
    const { connect, proofs } = await world()
    const { connection } = connect()
    await ping(connection)
    await connection.token({ refresh: true })
    await ping(connection)
    const jkts = proofs.verdicts.map(({ verdict }) => (verdict.kind === 'good' ? verdict.jkt : verdict.reason))
    expect(proofs.verdicts.map(({ at }) => at)).toEqual(['token', 'resource', 'token', 'resource'])
    expect(new Set(jkts).size).toBe(1)
  })

  it('goes with the login: at sign-out, and when another login replaces it', async () => {
    const { connect, ids } = await world()
    const { connection } = connect()
    await connection.authorize()
    const [first] = await ids()
    await connection.authorize({ force: true })
    const after = await ids()
    expect(after).toHaveLength(1)
    expect(after).not.toContain(first)
    expect((await ping(connection)).status).toBe(200)
    await connection.signOut()
    expect(await ids()).toEqual([])
  })

  it.each([
    ['declined', 'error=access_denied'],
    ['answered with another state', 'code=c&state=another'],
  ])('goes with a login that is %s', async (_how, response) => {
    const { connect, ids } = await world()
    const browser = async (url: string): Promise<URLSearchParams> => {
      const answer = new URLSearchParams(response)
      if (!answer.has('state')) answer.set('state', new URL(url).searchParams.get('state') ?? '')
      answer.set('iss', new URL(url).origin)
      return answer
    }
    const { connection } = connect({ userAgent: scriptedAgent({ browser }) })
    await expect(connection.authorize()).rejects.toThrow()
    expect(await ids()).toEqual([])
  })

  it('goes with a login whose code is refused, and with one that nobody can be a client for', async () => {
    const { server, connect, ids } = await world()
    const { connection } = connect()
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'token_request_rejected' })
    expect(await ids()).toEqual([])
    server.routes.register = { status: 400, json: { error: 'invalid_client_metadata' } }
    const other = connect({ store: memoryStore() })
    await expect(other.connection.authorize()).rejects.toMatchObject({ code: 'registration_rejected' })
    expect(await ids()).toEqual([])
  })

  it('stays for the other process that completes the login', async () => {
    const { server, connect, ids } = await world()
    const first = connect()
    const redirectUri = 'http://127.0.0.1:1/callback'
    const { authorizationUrl, state } = await first.connection.beginAuthorization({ redirectUri })
    expect(await ids()).toHaveLength(1)
    const response = (await followRedirect(authorizationUrl)) as URLSearchParams
    const second = connect()
    const { connection } = await second.connector.completeAuthorization(response, { state })
    expect((await ping(connection)).status).toBe(200)
    expect(await ids()).toHaveLength(1)
    // The page that is loaded again takes nothing away.
    await first.connector.completeAuthorization(response, { state })
    expect((await ping(first.connection)).status).toBe(200)
    expect(await ids()).toHaveLength(1)
    expect(server.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })

  it('is used by the other process that renews the login', async () => {
    const { connect, proofs, ids } = await world()
    await ping(connect().connection)
    const second = connect()
    await second.connection.token({ refresh: true })
    expect((await ping(second.connection)).status).toBe(200)
    const jkts = proofs.verdicts.map(({ verdict }) => verdict.kind === 'good' && verdict.jkt)
    expect(new Set(jkts)).toEqual(new Set([expect.any(String)]))
    expect(await ids()).toHaveLength(1)
  })

  it('goes with a step-up, which has one of its own', async () => {
    const { server, connect, ids } = await world()
    const { connection, agent } = connect()
    await ping(connection)
    const [first] = await ids()
    const { mcp } = server.routes
    server.routes.mcp = {
      status: 403,
      headers: { 'www-authenticate': 'DPoP error="insufficient_scope", scope="more"' },
    }
    const stepped = ping(connection)
    server.routes.authorize = (_request, usual) => {
      server.routes.mcp = mcp!
      return usual()
    }
    expect((await stepped).status).toBe(200)
    expect(agent.begun).toBe(2)
    expect(await ids()).toHaveLength(1)
    expect(await ids()).not.toContain(first)
  })

  it('of a login that a sign-out has overtaken goes with it', async () => {
    const { server, connect, ids } = await world()
    const { connection } = connect()
    const good = server.routes.token as (...all: unknown[]) => Promise<object>
    server.routes.token = async (...all) => {
      const answer = await good(...all)
      if (all[0].body.includes('authorization_code')) await connect().connection.signOut()
      return answer
    }
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'login_cancelled' })
    expect(await ids()).toEqual([])
  })

  it('that cannot be deleted is said, and the sign-out stands', async () => {
    const { connect, keys } = await world()
    const codes: (string | undefined)[] = []
    const stubborn: Keys = {
      ...keys,
      delete: async () => {
        throw new TypeError('no disk')
      },
    }
    const { connection } = connect({ keys: stubborn, log: ({ diagnostic }) => codes.push(diagnostic?.code) })
    await ping(connection)
    await connection.signOut()
    await settled()
    expect(codes).toContain('key_not_deleted')
    expect(connection.getSnapshot().status).toBe('signed_out')
  })

  it('is found and deleted a day after its login was abandoned, and no other is', async () => {
    const { connect, clock, keys, ids } = await world()
    const other = connect({ appId: 'countersign/other' })
    await other.connection.authorize()
    await keys.create('of somebody else', 'ES256')
    const { connector, connection } = connect()
    await connection.authorize()
    const kept = await ids()
    const abandoned = connector.connect(connection.url, { account: 'abandoned' })
    await abandoned.beginAuthorization({ redirectUri: 'http://127.0.0.1:1/callback' })
    expect(await ids()).toHaveLength(4)

    const another = connector.connect(connection.url, { account: 'another' })
    await another.authorize()
    expect(await ids()).toHaveLength(5)
    clock.forward(DAY_MS + 600_001)
    await connector.connect(connection.url, { account: 'later' }).authorize()
    const left = await ids()
    expect(left).toHaveLength(5)
    expect(left).toEqual(expect.arrayContaining([...kept]))
  })

  it('of a record that cannot be read now is not deleted', async () => {
    const { connect, clock, store, ids } = await world()
    const { connector, connection } = connect()
    await connection.authorize()
    const [id] = await ids()
    const [key = ''] = await store.keys('countersign/grant/')
    await store.replace(key, await store.get(key), 'damaged')
    clock.forward(DAY_MS + 600_001)
    await connector.connect(connection.url, { account: 'later' }).authorize()
    expect(await ids()).toContain(id)
  })
})

describe('a login whose key is gone', () => {
  it('sends neither token nor refresh token: a person is asked', async () => {
    const { connect, keys, count, server, ids } = await world()
    const first = connect()
    await ping(first.connection)
    for (const id of await ids()) await keys.delete(id)
    server.clearRequests()
    const codes: (string | undefined)[] = []
    const second = connect({ log: ({ diagnostic }) => codes.push(diagnostic?.code) })
    expect((await ping(second.connection)).status).toBe(200)
    expect(second.agent.begun).toBe(1)
    expect(codes.filter((code) => code === 'key_missing')).toHaveLength(1)
    // The exchange of the new code, and nothing of what came before.
    expect(count('/token')).toBe(1)
    const [refused] = server.requests.filter(({ path }) => path === '/mcp')
    expect(refused?.headers).not.toHaveProperty('authorization')
    expect(refused?.headers).not.toHaveProperty('dpop')
  })

  it('says so where nobody may be asked', async () => {
    const { connect, keys, ids, count } = await world()
    await ping(connect().connection)
    for (const id of await ids()) await keys.delete(id)
    const { connection } = connect({ interaction: 'never' })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(count('/token')).toBe(1)
  })

  it('before its code is exchanged: the code stays, and the error names the setting', async () => {
    const { connect, count } = await world()
    const begun = connect()
    const redirectUri = 'http://127.0.0.1:1/callback'
    const { authorizationUrl, state } = await begun.connection.beginAuthorization({ redirectUri })
    const response = (await followRedirect(authorizationUrl)) as URLSearchParams
    const elsewhere = connect({ keys: memoryKeys() })
    await expect(elsewhere.connector.completeAuthorization(response, { state })).rejects.toMatchObject({
      code: 'store_unavailable',
      step: 'prove',
      hint: expect.stringContaining('pass keys'),
    })
    expect(count('/token')).toBe(0)
  })

  it('because dpop() is: nothing is sent, and the error names it', async () => {
    const { connect, count } = await world()
    await ping(connect().connection)
    const { connection } = connect({}, false)
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'dpop_required',
      hint: expect.stringContaining('dpop()'),
    })
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'dpop_required' })
    expect(count('/token')).toBe(1)
  })

  it.each(['create', 'load'] as const)('because the store of keys cannot %s', async (method) => {
    const { connect, keys, count } = await world()
    const broken: Keys = {
      ...keys,
      [method]: async () => {
        throw new TypeError('no disk')
      },
    }
    if (method === 'load') await ping(connect().connection)
    const { connection } = connect({ keys: broken })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'store_unavailable', step: 'prove' })
    expect(count('/token')).toBe(method === 'load' ? 1 : 0)
  })
})

describe('the key of acquired tokens', () => {
  const credentialsAt = (issuer: string) => clientCredentials({ issuer, clientId: 'c', clientSecret: 'the-secret' })

  async function acquiring() {
    const all = await world()
    const { server } = all
    let n = 0
    const judged = server.routes.token as Exclude<typeof server.routes.token, object | undefined>
    server.routes.token = (request) =>
      (judged as (request: unknown, usual: () => object) => Promise<object>)(request, () => {
        server.accessTokens.add(`acquired-${++n}`)
        return { json: { access_token: `acquired-${n}`, token_type: 'Bearer', expires_in: 300 } }
      })
    return { ...all, connection: all.connect({ credentials: credentialsAt(server.issuer) }).connection }
  }

  it('is one for each acquisition, and one alone is kept', { tags: ['rfc9449/token-requests'] }, async () => {
    const { connection, ids, proofs } = await acquiring()
    expect((await ping(connection)).status).toBe(200)
    const first = await ids()
    await connection.token({ refresh: true })
    expect((await ping(connection)).status).toBe(200)
    expect(await ids()).toHaveLength(1)
    expect(await ids()).not.toEqual(first)
    expect(proofs.verdicts.every(({ verdict }) => verdict.kind === 'good')).toBe(true)
  })

  it('goes with an acquisition that fails, and none is made by who adopts', async () => {
    const { server, connect, connection, ids } = await acquiring()
    const good = server.routes.token
    server.routes.token = { status: 400, json: { error: 'invalid_client' } }
    await expect(connection.token()).rejects.toMatchObject({ code: 'token_request_rejected' })
    expect(await ids()).toEqual([])
    server.routes.token = good!
    const others = [1, 2, 3].map(() => connect({ credentials: credentialsAt(server.issuer) }).connection)
    await Promise.all(others.map((other) => ping(other)))
    expect(await ids()).toHaveLength(1)
  })
})
