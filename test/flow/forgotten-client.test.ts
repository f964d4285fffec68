import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { person, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { kindsIn } from '../support/stored.js'
import { scriptedAgent } from '../support/watched-agent.js'

describe('a server that has forgotten the client', () => {
  const servers = realServers({})
  const open = closing()

  function connect(options: ConnectorOptions = {}) {
    const alice = person()
    const store = memoryStore()
    const seen = collector()
    const agent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const connector = open(createConnector({ store, userAgent: agent, log: seen.log, ...options }))
    return { connection: connector.connect(servers.mcp.url), store, agent, seen }
  }

  it('says so to a refresh: the next login registers anew, instead of ending at an error page', async () => {
    const { connection, store, agent } = connect({ interaction: 'explicit' })
    await connection.authorize()
    servers.as.forgetClients()
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { reason: 'login_ended' },
    })
    expect(await kindsIn(store)).not.toContain('registration')
    servers.as.clearRequests()
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(servers.asked('/reg')).toBe(1)
    expect(agent.begun).toBe(2)
  })

  it('says so to the exchange of a code: registered again, asked again, once', async () => {
    const server = open(await scriptedAuthorization())
    let refused = 0
    server.routes.token = (_request, usual) =>
      refused++ === 0 ? { status: 401, json: { error: 'invalid_client' } } : usual()
    const seen = collector()
    const agent = scriptedAgent()
    const connection = open(createConnector({ userAgent: agent, log: seen.log })).connect(server.url)
    expect((await ping(connection)).status).toBe(200)
    expect(seen.types).toContain('re_registered')
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(2)
    expect(agent.pages).toHaveLength(2)
    expect(agent.begun).toBe(1)
  })

  it('says so for ever: the login ends, after two pages', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.token = { status: 401, json: { error: 'invalid_client' } }
    const agent = scriptedAgent()
    const connection = open(createConnector({ userAgent: agent })).connect(server.url)
    await expect(ping(connection)).rejects.toMatchObject({ code: 'client_forgotten', step: 'register' })
    expect(agent.pages).toHaveLength(2)
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(2)
  })
})

describe('a client that was registered by hand', () => {
  const open = closing()

  async function connect(options: ConnectorOptions = {}) {
    const server = open(await scriptedAuthorization())
    const store = memoryStore()
    const registered = { issuer: server.issuer, clientId: 'by-hand', clientSecret: 'secret-by-hand' } as const
    const agent = scriptedAgent()
    const connector = open(createConnector({ store, userAgent: agent, client: { registered }, ...options }))
    return { server, store, connection: connector.connect(server.url), agent }
  }

  it('is used as it is: nothing is registered, and its secret is in no record', {
    tags: ['mcp-registration/by-hand', 'mcp-registration/priority', 'rfc6749/secret-not-in-url'],
  }, async () => {
    const { server, store, connection } = await connect()
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), token_endpoint_auth_methods_supported: ['client_secret_post'] },
    })
    expect((await ping(connection)).status).toBe(200)
    expect(server.requests.some(({ path }) => path === '/register')).toBe(false)
    const token = server.requests.find(({ path }) => path === '/token')
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toMatchObject({
      client_id: 'by-hand',
      client_secret: 'secret-by-hand',
    })
    for (const key of await store.keys('')) expect(await store.get(key)).not.toContain('secret-by-hand')
    for (const { path, query } of server.requests) expect(`${path}?${query}`).not.toContain('secret-by-hand')
  })

  it('belongs to its issuer: another one gets neither its name nor its secret', {
    tags: [
      'mcp-registration/bound-to-issuer',
      'mcp-discovery/credentials-not-shared',
      'mcp-discovery/state-per-issuer',
    ],
  }, async () => {
    const registered = { issuer: 'https://as.example', clientId: 'by-hand', clientSecret: 'secret-by-hand' } as const
    const { server, connection } = await connect({ client: { registered } })
    expect((await ping(connection)).status).toBe(200)
    for (const request of server.requests) expect(JSON.stringify(request)).not.toMatch(/by-hand/)
  })

  it('whose supplier has a newer secret by now: it is asked once more, and the login lives', async () => {
    let secret = 'first-secret'
    const asked: string[] = []
    const clientSecret = async (): Promise<string> => {
      asked.push(secret)
      return secret
    }
    const server = open(await scriptedAuthorization())
    const registered = {
      issuer: server.issuer,
      clientId: 'by-hand',
      clientSecret,
      tokenEndpointAuthMethod: 'client_secret_post',
    } as const
    const connection = open(createConnector({ userAgent: scriptedAgent(), client: { registered } })).connect(server.url)
    await connection.authorize()
    server.routes.token = (request, usual) => {
      if (new URLSearchParams(request.body).get('client_secret') === 'second-secret') return usual()
      secret = 'second-secret'
      return { status: 401, json: { error: 'invalid_client' } }
    }
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'Bearer' })
    expect(asked).toEqual(['first-secret', 'first-secret', 'second-secret'])
  })
})
