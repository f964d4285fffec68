import { createConnector, memoryStore, type RegisteredClient, trustDiscovered } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { person, startMcpServer, startScriptableServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { seedGrant } from '../support/seeded.js'
import { recordingFetch } from '../support/sent.js'
import { scriptedAgent } from '../support/watched-agent.js'

describe('connections that share, on real servers', () => {
  const servers = realServers({})
  const open = closing()

  function connectorFor(more: Partial<Parameters<typeof createConnector>[0]> = {}) {
    const seen = collector()
    const alice = person()
    const agent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const connector = open(
      createConnector({ appId: 'test', store: memoryStore(), userAgent: agent, log: seen.log, ...more }),
    )
    return { connector, agent, seen }
  }

  it('connect does no input or output', () => {
    const never = async (): Promise<never> => expect.unreachable('nothing may be asked')
    const store = { name: 'untouchable', get: never, replace: never, keys: never }
    const { connector } = connectorFor({ store, fetch: never, oauthFetch: never })
    expect(connector.connect('https://mcp.example.com/mcp#part').url).toBe('https://mcp.example.com/mcp')
  })

  it.each([
    ['the same URL', '/mcp', '/mcp', true],
    ['a fragment', '/mcp', '/mcp#part', true],
    ['another way to write it', '/mcp', '/x/../mcp', true],
    ['another query', '/mcp?tenant=1', '/mcp?tenant=2', false],
    ['another path', '/mcp', '/mcp/', false],
  ])('%s: the same connection or another', (_name, one, two, same) => {
    const { connector } = connectorFor()
    const first = connector.connect(`https://mcp.example.com${one}`)
    const second = connector.connect(new URL(`https://mcp.example.com${two}`))
    expect(first === second).toBe(same)
  })

  it('another account is another connection', () => {
    const { connector } = connectorFor()
    const url = 'https://mcp.example.com/mcp'
    const [nobody, alice, bob] = [{}, { account: 'alice' }, { account: 'bob' }].map((o) => connector.connect(url, o))
    expect(new Set([nobody, alice, bob]).size).toBe(3)
    expect(connector.connect(url, { account: 'bob' })).toBe(bob)
  })

  it('other options for a connection that is held are a conflict; none never are', () => {
    const { connector } = connectorFor()
    const url = 'https://mcp.example.com/mcp'
    const clientSecret = async (): Promise<string> => 'secret'
    const registered: RegisteredClient = { issuer: trustDiscovered, clientId: 'c', clientSecret }
    const held = connector.connect(url, { scope: 'read', client: { registered } })
    expect(connector.connect(url)).toBe(held)
    expect(connector.connect(url, { client: { registered: { ...registered } }, scope: 'read' })).toBe(held)
    const conflict = { code: 'connection_conflict', step: 'connect', url, action: 'fix_configuration' }
    expect(() => connector.connect(url, { scope: 'write' })).toThrow(expect.objectContaining(conflict))
    const other: RegisteredClient = { ...registered, clientSecret: async () => 'secret' }
    expect(() => connector.connect(url, { scope: 'read', client: { registered: other } })).toThrow(
      expect.objectContaining(conflict),
    )
    expect(held.url).toBe(url)
  })

  it.each(['not a url', 'file:///etc/passwd', 'https://user:pw@mcp.example.com/'])(
    '%s is no server',
    { tags: 'mcp/not-on-stdio' },
    (url) => {
      const { connector } = connectorFor()
      expect(() => connector.connect(url)).toThrow(
        expect.objectContaining({ code: 'options_invalid', expected: 'url: an http(s) URL without user information' }),
      )
    },
  )

  it('members are bound: they may be passed on by themselves', async () => {
    const { connector } = connectorFor()
    const { fetch, authorize, token, getSnapshot, signOut } = connector.connect(servers.mcp.url)
    await authorize()
    expect((await fetch(servers.mcp.url)).status).not.toBe(401)
    expect((await token()).tokenType).toBe('Bearer')
    await signOut()
    expect(getSnapshot().status).toBe('signed_out')
  })

  it('two parallel first requests open one page', async () => {
    const { connector, agent } = connectorFor()
    const answers = await Promise.all([1, 2].map(() => ping(connector.connect(servers.mcp.url))))
    expect(answers.map(({ status }) => status)).not.toContain(401)
    expect(agent.begun).toBe(1)
    expect(servers.grants).toEqual(['authorization_code'])
  })

  it('authorize() joins the login that is under way', async () => {
    const { connector, agent } = connectorFor()
    const connection = connector.connect(servers.mcp.url)
    const [one, two, answer] = await Promise.all([connection.authorize(), connection.authorize(), ping(connection)])
    expect(one).toBe(two)
    expect(answer.status).not.toBe(401)
    expect(agent.begun).toBe(1)
  })

  it('a second server of the same authorization server: no second registration, no second look at its metadata', async () => {
    const second = open(await startMcpServer({ authorizationServer: servers.as }))
    const { connector, agent } = connectorFor()
    await connector.connect(servers.mcp.url).authorize()
    servers.as.clearRequests()
    await connector.connect(second.url).authorize()
    expect(servers.asked('/reg')).toBe(0)
    expect(servers.asked('/.well-known/oauth-authorization-server')).toBe(0)
    expect(servers.grants).toEqual(['authorization_code'])
    expect(agent.begun).toBe(2)
  })

  it('a login is found again after a restart, without a page', async () => {
    const store = memoryStore()
    const { connector } = connectorFor({ store })
    await connector.connect(servers.mcp.url).authorize()
    await connector.close()
    const { connector: again, agent } = connectorFor({ store })
    expect((await ping(again.connect(servers.mcp.url))).status).not.toBe(401)
    expect(agent.begun).toBe(0)
  })

  it('another application does not find it', async () => {
    const store = memoryStore()
    await connectorFor({ store }).connector.connect(servers.mcp.url).authorize()
    const other = connectorFor({ store, appId: 'other', interaction: 'never' }).connector
    await expect(other.connect(servers.mcp.url).token()).rejects.toMatchObject({ code: 'interaction_required' })
  })

  describe('what is not for the server', () => {
    it('requests to another origin go out as they came, once with a diagnostic', async () => {
      const elsewhere = open(await startScriptableServer(() => ({ status: 401, body: 'no' })))
      const { connector, agent, seen } = connectorFor()
      const connection = connector.connect(servers.mcp.url)
      await connection.authorize()
      for (const path of ['/a', '/b']) expect((await connection.fetch(elsewhere.origin + path)).status).toBe(401)
      expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
      expect(seen.diagnostics).toMatchObject([{ code: 'foreign_origin', received: elsewhere.origin }])
      expect(agent.begun).toBe(1)
    })

    it.each([
      ['https://mcp.example.com/elsewhere?a=1', true],
      ['https://MCP.example.com:443', true],
      ['https://mcp.example.com.evil.example/mcp', false],
      ['https://mcp.example.com@evil.example/mcp', false],
      ['https://mcp.example.com:8443/mcp', false],
      ['https://mcp.example.community/mcp', false],
      ['http://mcp.example.com/mcp', false],
    ])(
      'a token for https://mcp.example.com/mcp goes to %s: %s',
      { tags: ['rfc6750/safeguarded', 'mcp/only-its-own-tokens'] },
      async (url, goes) => {
        const store = memoryStore()
        const { fetch, sent } = recordingFetch(async () => new Response())
        const { connector } = connectorFor({ fetch, store })
        const server = 'https://mcp.example.com/mcp'
        await seedGrant(store, { url: server, tokens: { access_token: 'a', token_type: 'Bearer', issued_at: 0 } })
        const connection = connector.connect(server)
        await connection.token()
        await connection.fetch(url)
        await connection.fetch(new URL(url))
        // The platform makes no Request of a URL with user information.
        if (!url.includes('@')) await connection.fetch(new Request(url))
        expect(new Set(sent.map(({ headers }) => headers.has('authorization')))).toEqual(new Set([goes]))
      },
    )

    it('an Authorization header of the host switches OAuth off; its rejection says so', async () => {
      const { connector, agent } = connectorFor()
      const connection = connector.connect(servers.mcp.url)
      const rejection = {
        code: 'header_rejected',
        step: 'authorize',
        url: connection.url,
        received: 'HTTP 401',
        action: 'fix_configuration',
      }
      await expect(ping(connection, { headers: { authorization: 'Bearer of-the-host' } })).rejects.toMatchObject(
        rejection,
      )
      await connection.authorize()
      await expect(ping(connection, { headers: { Authorization: 'Bearer of-the-host' } })).rejects.toMatchObject(
        rejection,
      )
      expect(servers.mcp.requests.filter(({ path }) => path === '/mcp').map(({ bare }) => bare)).toEqual([false, false])
      expect(agent.begun).toBe(1)
    })
  })
})
