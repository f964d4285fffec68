import { type ConnectorOptions, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { seedGrant } from '../support/seeded.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization

beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

function host(options: ConnectorOptions = {}) {
  const clock = shiftedClock()
  const store = options.store ?? memoryStore(() => clock.now())
  const userAgent = scriptedAgent()
  const connector = open(createConnector({ appId: 'test', clock, userAgent, ...options, store }))
  return { clock, store, connector, connection: connector.connect(server.url) }
}

describe('explain() says where a login came from, and until when', () => {
  it('of a login that was just made', async () => {
    const { connection, clock } = host()
    await connection.authorize({ scope: 'notes:read' })
    expect(await connection.explain()).toEqual({
      url: server.url,
      store: 'memory of this process',
      addressPolicy: 'names-and-literals',
      grant: {
        issuer: server.issuer,
        clientId: expect.any(String),
        clientOrigin: 'dynamic',
        resource: server.url,
        scopeRequested: 'notes:read',
        expiresAt: expect.any(Number),
        renewable: true,
        dpop: false,
        obtainedAt: expect.any(Number),
      },
      diagnostics: [],
    })
    const { grant } = await connection.explain()
    expect(Math.abs((grant?.obtainedAt ?? 0) - clock.now())).toBeLessThan(5_000)
    expect(grant?.expiresAt).toBeGreaterThan(clock.now())
  })

  it('of a login that another process left, without asking any server', async () => {
    const { connection, store } = host()
    const tokens = { access_token: 'a1', token_type: 'Bearer', scope: 'x y', issued_at: 17 } as const
    await seedGrant(store, { url: server.url, tokens, target: { scope: 'x' }, client: { origin: 'registered' } })
    expect((await connection.explain()).grant).toMatchObject({
      clientId: 'seeded',
      clientOrigin: 'registered',
      scopeRequested: 'x',
      scopeGranted: 'x y',
      renewable: false,
      obtainedAt: 17,
    })
    expect(server.requests).toEqual([])
  })

  it('of no login, and of one that was ended: nothing', async () => {
    const { connection } = host()
    expect(await connection.explain()).not.toHaveProperty('grant')
    expect(connection.getSnapshot().status).toBe('signed_out')
    await connection.authorize()
    await connection.signOut()
    expect(await connection.explain()).not.toHaveProperty('grant')
  })

  it('of a refresh token that was refused for good: not renewable, and until when it still serves', async () => {
    const { connection } = host()
    await connection.authorize()
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    await connection.token({ refresh: true }).catch(() => undefined)
    expect((await connection.explain()).grant).toMatchObject({ renewable: false, expiresAt: expect.any(Number) })
  })

  it('with the account', async () => {
    const { connector } = host()
    expect(await connector.connect(server.url, { account: 'alice' }).explain()).toMatchObject({ account: 'alice' })
  })

  it('with what was tolerated on the way, each once, and nothing of another connection', async () => {
    const usual = server.routes.register
    server.routes.register = (request, answer) => ({
      ...(typeof usual === 'function' ? usual(request, answer) : answer()),
      status: 200,
    })
    const { connection, connector } = host()
    await connection.authorize()
    await connection.authorize({ force: true })
    await connection.fetch('https://elsewhere.invalid/').catch(() => undefined)
    await connection.fetch('https://elsewhere.invalid/').catch(() => undefined)
    const { diagnostics } = await connection.explain()
    expect(diagnostics.map(({ code }) => code).sort()).toEqual(['foreign_origin', 'registration_status'])
    expect((await connector.connect(server.url, { account: 'other' }).explain()).diagnostics).toEqual([])
  })

  it('with a record that cannot be read', async () => {
    const { connection, store } = host()
    await connection.authorize()
    const [key = ''] = await store.keys('test/grant/')
    await store.replace(key, await store.get(key), '{"format":99}')
    expect(await connection.explain()).toMatchObject({ diagnostics: [{ code: 'record_discarded', url: key }] })
    expect(await connection.explain()).not.toHaveProperty('grant')
  })

  it('a store that fails is an error', async () => {
    const store: Store = { ...memoryStore(), get: () => Promise.reject(new Error('away')) }
    await expect(host({ store }).connection.explain()).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('nothing once the connector is closed', async () => {
    const { connection, connector } = host()
    await connector.close()
    await expect(connection.explain()).rejects.toMatchObject({ code: 'connector_closed' })
  })
})

describe('trace() has the last exchanges', () => {
  const lines = (connection: ReturnType<typeof host>['connection']) =>
    connection.trace().map(({ step, method, url, status }) => `${step} ${method} ${new URL(url).pathname} ${status}`)

  it('from the challenge to the tokens, oldest first', async () => {
    const { connection } = host({ interaction: 'on-demand' })
    expect(connection.trace()).toEqual([])
    await ping(connection)
    expect(lines(connection)).toEqual([
      'request POST /mcp 401',
      'discover GET /.well-known/oauth-protected-resource/mcp 200',
      'discover GET /.well-known/oauth-authorization-server 200',
      'register POST /register 201',
      'exchange POST /token 200',
    ])
    expect(connection.trace()[1]).toMatchObject({ at: expect.any(Number), durationMs: expect.any(Number) })
    expect(connection.trace().every((entry) => Object.isFrozen(entry))).toBe(true)
  })

  it('of one connection alone, and after the connector is closed', async () => {
    const { connection, connector } = host()
    await connection.authorize()
    expect(connector.connect(server.url, { account: 'other' }).trace()).toEqual([])
    await connector.close()
    expect(connection.trace()).not.toEqual([])
  })

  it('with what went wrong', async () => {
    const { connection } = host()
    server.routes.resourceMetadata = { destroy: true }
    await connection.authorize().catch(() => undefined)
    const [failed] = connection.trace()
    expect(failed).toMatchObject({ step: 'discover', note: expect.stringMatching(/\w/) })
    expect(failed).not.toHaveProperty('status')
  })

  it('and no more than 512 of all connections together', async () => {
    const { connection, connector } = host({
      interaction: 'never',
      fetch: async () => new Response(null, { status: 401 }),
    })
    const other = connector.connect(server.url, { account: 'other' })
    await ping(other).catch(() => undefined)
    for (let n = 0; n < 512; n++) await ping(connection).catch(() => undefined)
    expect(connection.trace()).toHaveLength(512)
    expect(other.trace()).toEqual([])
  })

  it('nothing of requests that went well', async () => {
    const { connection } = host()
    await connection.authorize()
    const before = connection.trace().length
    await ping(connection)
    expect(connection.trace()).toHaveLength(before)
  })
})
