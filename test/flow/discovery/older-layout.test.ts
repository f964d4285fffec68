import type { ConnectorOptions } from '@countersign/core'
import { createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { collector } from '../../support/collector.js'
import { askedOf } from '../../support/issuers.js'
import { ping } from '../../support/mcp-client.js'
import { simulatedClock } from '../../support/simulated-clock.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
  server.routes.resourceMetadata = { status: 404 }
  challenging('Bearer')
})

const resourceDocuments = ['GET /.well-known/oauth-protected-resource/mcp', 'GET /.well-known/oauth-protected-resource']
const serverDocuments = ['GET /.well-known/oauth-authorization-server', 'GET /.well-known/openid-configuration']
const signIn = ['POST /register', 'GET /authorize', 'POST /token']

/** What a server without metadata says to who comes without a token. */
function challenging(header: string | undefined): void {
  server.routes.mcp = (_request, usual): Answer => {
    const answer = usual()
    if (answer.status !== 401) return answer
    return { status: 401, ...(header !== undefined && { headers: { 'www-authenticate': header } }) }
  }
}

function connect(options: ConnectorOptions = {}) {
  const agent = scriptedAgent()
  const seen = collector()
  const connector = open(createConnector({ userAgent: agent, log: seen.log, ...options }))
  return { connection: connector.connect(server.url), agent, seen }
}

/** What a login sent of a parameter, at each of its legs. */
const sentAs = (name: string): readonly (string | null)[] =>
  server.requests
    .filter(({ path }) => path === '/authorize' || path === '/token')
    .map(({ query, body }) => query.get(name) ?? new URLSearchParams(body).get(name))

const noMetadata = (): void => {
  server.routes.serverMetadata = { status: 404 }
  // An authorization server that announces no iss sends none.
  server.routes.authorize = (_request, usual) => {
    const answer = usual()
    const location = new URL(String(answer.headers?.location))
    location.searchParams.delete('iss')
    return { ...answer, headers: { location: location.href } }
  }
}

describe('a server of revision 2025-03-26, without protected resource metadata', () => {
  it.each([
    ['names no document', 'Bearer error="invalid_token"'],
    ['is not there', undefined],
  ])(
    'whose challenge %s: its own origin is the authorization server',
    {
      tags: 'mcp-2025-03-26/authorization-base-url',
    },
    async (_name, header) => {
      challenging(header)
      const { connection, seen } = connect()
      expect((await ping(connection)).status).toBe(200)
      expect(askedOf(server)).toEqual([...resourceDocuments, serverDocuments[0], ...signIn])
      expect(seen.diagnostics.at(-1)).toMatchObject({
        code: 'resource_metadata_absent',
        url: server.url,
        received: expect.stringContaining('oauth-protected-resource/mcp: HTTP 404'),
      })
    },
  )

  it('gets its URL as `resource`, on both legs', async () => {
    await ping(connect().connection)
    expect(sentAs('resource')).toEqual([server.url, server.url])
  })

  it('is asked for the scope of its challenge, or for none', async () => {
    await ping(connect().connection)
    challenging('Bearer scope="notes:read"')
    await ping(connect().connection)
    expect(server.requests.filter(({ path }) => path === '/authorize').map((r) => r.query.get('scope'))).toEqual([
      null,
      'notes:read',
    ])
  })

  it('and without any metadata: the default endpoints, with PKCE', {
    tags: ['mcp-2025-03-26/default-endpoints', 'mcp-2025-03-26/metadata-before-defaults'],
  }, async () => {
    noMetadata()
    const { connection, seen } = connect()
    expect((await ping(connection)).status).toBe(200)
    expect(askedOf(server)).toEqual([...resourceDocuments, ...serverDocuments, ...signIn])
    expect(sentAs('code_challenge_method')[0]).toBe('S256')
    expect(seen.diagnostics.map(({ code }) => code)).toEqual(['resource_metadata_absent', 'endpoints_assumed'])
  })

  it('whose answer names another issuer all the same: no code is sent', async () => {
    noMetadata()
    server.routes.authorize = (_request, usual) => {
      const answer = usual()
      return { ...answer, headers: { location: `${answer.headers?.location}`.replace(/iss=.*/, 'iss=https://x') } }
    }
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'issuer_mismatch' })
    expect(askedOf(server)).not.toContain('POST /token')
  })

  it('that publishes metadata later is asked again: what was assumed is never kept', async () => {
    noMetadata()
    const { connection } = connect()
    await ping(connection)
    delete server.routes.serverMetadata
    delete server.routes.authorize
    server.clearRequests()
    await connection.authorize({ force: true })
    expect(askedOf(server)).toContain(serverDocuments[0])
    expect(askedOf(server)).not.toContain(serverDocuments[1])
  })

  it('is refused by a strict connector, before anything is registered', async () => {
    await expect(ping(connect({ strict: true }).connection)).rejects.toMatchObject({
      code: 'resource_metadata_not_found',
    })
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it('whose metadata does not list S256 is refused like any other', async () => {
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), code_challenge_methods_supported: undefined },
    })
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'pkce_unsupported' })
    expect(askedOf(server)).toEqual([...resourceDocuments, serverDocuments[0]])
  })

  it('whose metadata is that of another issuer is refused like any other', async () => {
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), issuer: 'https://as.example' },
    })
    await expect(ping(connect().connection)).rejects.toMatchObject({
      code: 'issuer_mismatch',
      expected: server.origin,
      received: 'https://as.example',
    })
    expect(askedOf(server)).toEqual([...resourceDocuments, ...serverDocuments])
  })
})

describe('that there is no metadata has to be proven', () => {
  const transient: readonly [string, Answer][] = [
    ['500', { status: 500 }],
    ['502 with a page', { status: 502, body: '<html>' }],
    ['429', { status: 429 }],
    ['408', { status: 408 }],
    ['a connection that is cut', { destroy: true }],
  ]

  it.each(transient)('%s in place of the resource metadata: later', async (_name, answer) => {
    server.routes.resourceMetadata = answer
    await expect(ping(connect().connection)).rejects.toMatchObject({ action: 'retry_at' })
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it.each(transient)('%s in place of the server metadata: later', async (_name, answer) => {
    server.routes.serverMetadata = answer
    await expect(ping(connect().connection)).rejects.toMatchObject({ action: 'retry_at' })
    expect(askedOf(server)).toEqual([...resourceDocuments, ...serverDocuments])
  })

  it('silence is no proof either', async () => {
    const clock = simulatedClock()
    server.routes.resourceMetadata = { hang: true }
    const asked = ping(connect({ clock }).connection)
    const failed = expect(asked).rejects.toMatchObject({ code: 'request_timeout' })
    await clock.asleep(30_000)
    await clock.advance(30_000)
    await failed
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it.each<[string, Answer]>([
    ['a redirect to somewhere else', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
    ['five megabytes', { body: 'x'.repeat(5_000_000) }],
  ])('%s is no proof either', async (_name, answer) => {
    server.routes.resourceMetadata = answer
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'resource_metadata_not_found' })
    delete server.routes.resourceMetadata
    server.routes.serverMetadata = answer
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'authorization_server_metadata_not_found' })
    expect(askedOf(server)).not.toContain('POST /register')
  })

  it('a challenge that names a document is believed, although the document is not there', async () => {
    challenging(`Bearer resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`)
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'resource_metadata_not_found' })
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it('and it is remembered, although a later challenge names none', async () => {
    challenging(`Bearer resource_metadata="${server.origin}/.well-known/oauth-protected-resource/mcp"`)
    const { connection } = connect()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'resource_metadata_not_found' })
    challenging('Bearer')
    await expect(ping(connection)).rejects.toMatchObject({ code: 'resource_metadata_not_found' })
  })
})

describe('a server that asks for a token and knows nothing of OAuth', () => {
  const nothing = (register: Answer): void => {
    noMetadata()
    server.routes.register = register
  }

  it.each<[string, Answer, string]>([
    ['404', { status: 404 }, 'HTTP 404'],
    ['405', { status: 405 }, 'HTTP 405'],
    ['its own JSON-RPC error', { status: 401, json: { jsonrpc: '2.0' } }, 'HTTP 401'],
    ['a page of HTML', { body: '<!doctype html>' }, 'markup'],
    ['a redirect', { status: 302, headers: { location: '/login' } }, 'HTTP 302'],
  ])('%s at the place of registration: what was looked for is said, and no page opens', async (_n, answer, said) => {
    nothing(answer)
    const { connection, agent } = connect()
    const error = await ping(connection).catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'resource_metadata_not_found',
      step: 'discover',
      url: server.url,
      hint: expect.stringContaining('Authorization header'),
      action: 'contact_operator',
    })
    const places = [...resourceDocuments, ...serverDocuments, 'POST /register'].map((one) => one.split(' ')[1])
    for (const place of places) expect(error.received).toContain(`${server.origin}${place}: `)
    expect(error.received).toContain(said)
    expect(agent.pages).toEqual([])
    expect(askedOf(server)).not.toContain('GET /authorize')
  })

  it('a refusal in the words of OAuth is one', async () => {
    nothing({ status: 400, json: { error: 'invalid_redirect_uri' } })
    await expect(ping(connect().connection)).rejects.toMatchObject({
      code: 'registration_rejected',
      oauth: { error: 'invalid_redirect_uri' },
    })
  })

  it('a registration that is out of order is one for later', async () => {
    nothing({ status: 503 })
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'server_unavailable' })
  })
})

describe('a login that nobody was refused before', () => {
  it('asks the server for its challenge where the well-known places have nothing', async () => {
    challenging(`Bearer resource_metadata="${server.origin}/somewhere", scope="notes:read"`)
    server.routes.other = ({ path }) =>
      path === '/somewhere' ? { json: { resource: server.url, authorization_servers: [server.issuer] } } : undefined
    const { connection } = connect({ interaction: 'explicit' })
    await connection.authorize()
    expect(askedOf(server)).toEqual([...resourceDocuments, 'GET /somewhere', serverDocuments[0], ...signIn])
    expect(server.requests.find(({ path }) => path === '/authorize')?.query.get('scope')).toBe('notes:read')
    expect((await ping(connection)).status).toBe(200)
  })

  it('asks with a request that any MCP server understands', async () => {
    await connect().connection.authorize()
    const [asked] = server.requests.filter(({ path }) => path === '/mcp')
    expect(asked).toMatchObject({ method: 'POST', headers: { accept: 'application/json, text/event-stream' } })
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ jsonrpc: '2.0', method: 'initialize' })
    expect(asked?.headers.authorization).toBeUndefined()
  })

  it('finds a server of the older layout', async () => {
    const { connection } = connect({ interaction: 'explicit' })
    await connection.authorize()
    expect((await ping(connection)).status).toBe(200)
  })

  it('a server that asks for no token is none: nothing is guessed', async () => {
    server.routes.mcp = { json: { jsonrpc: '2.0', id: 1, result: {} } }
    await expect(connect().connection.authorize()).rejects.toMatchObject({
      code: 'resource_metadata_not_found',
      received: expect.stringContaining(`${server.url}: HTTP 200 without a token`),
    })
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it.each<[string, Answer]>([
    ['a redirect to somewhere else', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
    ['five megabytes', { body: 'x'.repeat(5_000_000) }],
  ])(
    '%s in a well-known place: a challenge without a document proves nothing, and nothing is guessed',
    async (_name, answer) => {
      server.routes.resourceMetadata = answer
      await expect(connect().connection.authorize()).rejects.toMatchObject({ code: 'resource_metadata_not_found' })
      expect(askedOf(server)).toEqual(resourceDocuments)
    },
  )

  it('a server that cannot answer proves nothing', async () => {
    server.routes.mcp = { status: 503 }
    await expect(connect().connection.authorize()).rejects.toMatchObject({ code: 'server_unavailable' })
    expect(askedOf(server)).toEqual(resourceDocuments)
  })

  it('a document elsewhere is not asked for', async () => {
    const elsewhere = open(await scriptedAuthorization())
    challenging(`Bearer resource_metadata="${elsewhere.origin}/.well-known/oauth-protected-resource/mcp"`)
    await expect(connect().connection.authorize()).rejects.toMatchObject({ code: 'url_not_allowed' })
    expect(elsewhere.requests).toEqual([])
  })

  it('costs nothing where the well-known places have the document', async () => {
    delete server.routes.resourceMetadata
    await connect().connection.authorize()
    expect(server.requests.filter(({ path }) => path === '/mcp')).toEqual([])
  })
})

describe('endpoints that the host gives', () => {
  const endpoints = () => ({
    authorization: `${server.origin}/authorize`,
    token: `${server.origin}/token`,
    registration: `${server.origin}/register`,
  })

  it('do without any document, whatever is in its place', async () => {
    noMetadata()
    const login = { status: 302, headers: { location: 'https://elsewhere.example/login' } }
    server.routes.resourceMetadata = login
    server.routes.serverMetadata = login
    const { connection } = connect({ compatibility: { endpoints: endpoints(), assumePkceS256: true } })
    expect((await ping(connection)).status).toBe(200)
  })

  it('say nothing of PKCE: the host has to vouch for that too', async () => {
    noMetadata()
    const { connection } = connect({ compatibility: { endpoints: endpoints() } })
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'pkce_unsupported',
      hint: expect.stringContaining('compatibility.assumePkceS256'),
    })
    expect(askedOf(server)).not.toContain('POST /register')
  })

  it('stand beside what the document says', async () => {
    delete server.routes.resourceMetadata
    server.routes.serverMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), token_endpoint: 'https://wrong.example/token' },
    })
    const { connection } = connect({ compatibility: { endpoints: { token: `${server.origin}/token` } } })
    expect((await ping(connection)).status).toBe(200)
  })
})
