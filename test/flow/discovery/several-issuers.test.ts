import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { askedOf, lists } from '../../support/issuers.js'
import { ping } from '../../support/mcp-client.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
let one: ScriptedAuthorization
let two: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
  one = open(await scriptedAuthorization())
  two = open(await scriptedAuthorization())
  lists(server, one, two)
})

function connect(options: ConnectorOptions = {}) {
  const agent = scriptedAgent()
  const connector = open(createConnector({ userAgent: agent, store: memoryStore(), ...options }))
  return { connector, connection: connector.connect(server.url), agent }
}

const metadata = 'GET /.well-known/oauth-authorization-server'
const oidc = 'GET /.well-known/openid-configuration'
const anewLogin = [metadata, 'POST /register', 'GET /authorize', 'POST /token']

/** Alters the metadata of an authorization server; undefined leaves a member out. */
const without = (at: ScriptedAuthorization, members: object): void => {
  at.routes.serverMetadata = (_request, usual) => ({ json: { ...(usual().json as object), ...members } })
}

describe('a resource that lists several authorization servers', () => {
  it('the first one is signed in to, and the others hear nothing', async () => {
    expect((await ping(connect().connection)).status).toBe(200)
    expect(askedOf(one)).toEqual(anewLogin)
    expect(two.requests).toEqual([])
  })

  it('one that the host has a client for comes before it', async () => {
    const registered = { issuer: two.issuer, clientId: 'by-hand' }
    expect((await ping(connect({ client: { registered } }).connection)).status).toBe(200)
    expect(one.requests).toEqual([])
    expect(askedOf(two)).toEqual([metadata, 'GET /authorize', 'POST /token'])
  })

  it('so does one that there is a registration at', async () => {
    const store = memoryStore()
    lists(server, two)
    await connect({ store }).connection.authorize()
    two.clearRequests()
    lists(server, one, two)
    await connect({ store }).connection.authorize({ force: true })
    expect(one.requests).toEqual([])
    expect(askedOf(two)).toEqual([metadata, 'GET /authorize', 'POST /token'])
  })

  it('registrations are kept apart: what one has given, the other never sees', async () => {
    const store = memoryStore()
    one.routes.register = { status: 201, json: { client_id: 'only-of-one', token_endpoint_auth_method: 'none' } }
    await connect({ store }).connection.authorize()
    lists(server, two)
    await connect({ store }).connection.authorize({ force: true })
    expect(askedOf(two)).toEqual(anewLogin)
    for (const { url, body } of two.requests) expect(url + body).not.toContain('only-of-one')
  })

  it.each<[string, (at: ScriptedAuthorization) => void]>([
    ['has no metadata', (at) => Object.assign(at.routes, { serverMetadata: { status: 404 } })],
    ['names another issuer', (at) => without(at, { issuer: 'https://as.example' })],
    ['does not support PKCE', (at) => without(at, { code_challenge_methods_supported: undefined })],
    ['has no token endpoint', (at) => without(at, { token_endpoint: undefined })],
    ['registers nobody', (at) => without(at, { registration_endpoint: undefined })],
    ['is out of order', (at) => Object.assign(at.routes, { serverMetadata: { status: 503 } })],
  ])('one that %s is passed over, and nothing else is asked of it', async (_name, spoil) => {
    spoil(one)
    expect((await ping(connect().connection)).status).toBe(200)
    expect(askedOf(one).filter((request) => request !== metadata && request !== oidc)).toEqual([])
    expect(askedOf(two)).toEqual(anewLogin)
  })

  it('one that the host does not allow is not asked at all', async () => {
    expect((await ping(connect({ allowedIssuers: [two.issuer] }).connection)).status).toBe(200)
    expect(one.requests).toEqual([])
  })

  it('where none is usable, the error is that of the first', async () => {
    without(one, { code_challenge_methods_supported: undefined })
    without(two, { issuer: 'https://as.example' })
    await expect(ping(connect().connection)).rejects.toMatchObject({ code: 'pkce_unsupported', url: `${one.origin}/` })
  })

  it('where none registers anybody, what is to be registered by hand is said of the first', async () => {
    for (const at of [one, two]) without(at, { registration_endpoint: undefined })
    await expect(ping(connect().connection)).rejects.toMatchObject({
      code: 'client_id_required',
      url: `${one.origin}/`,
    })
  })
})

describe('an authorization server that there is a client for', () => {
  const outOfOrder: Answer = { status: 503 }

  it('and that is out of order is waited for: no other is signed in to instead', async () => {
    const registered = { issuer: two.issuer, clientId: 'by-hand' }
    two.routes.serverMetadata = outOfOrder
    await expect(ping(connect({ client: { registered } }).connection)).rejects.toMatchObject({
      code: 'server_unavailable',
    })
    expect(one.requests).toEqual([])
  })

  it('by a stored registration too', async () => {
    const store = memoryStore()
    await connect({ store }).connection.authorize()
    one.routes.serverMetadata = outOfOrder
    await expect(connect({ store }).connection.authorize({ force: true })).rejects.toMatchObject({
      code: 'server_unavailable',
    })
    expect(two.requests).toEqual([])
  })

  it('that cannot be used any more gives way where it registered the client itself', async () => {
    const store = memoryStore()
    await connect({ store }).connection.authorize()
    without(one, { code_challenge_methods_supported: undefined })
    await connect({ store }).connection.authorize({ force: true })
    expect(askedOf(two)).toEqual(anewLogin)
  })

  it('and not where the host did', async () => {
    without(one, { code_challenge_methods_supported: undefined })
    const registered = { issuer: one.issuer, clientId: 'by-hand' }
    await expect(ping(connect({ client: { registered } }).connection)).rejects.toMatchObject({
      code: 'pkce_unsupported',
    })
    expect(two.requests).toEqual([])
  })
})

describe('a client that was registered by hand at an issuer that is not listed', () => {
  const registered = { issuer: 'https://as.example', clientId: 'by-hand', clientSecret: 'by-hand-secret' }

  it('for this very server: refused before any authorization server is asked', async () => {
    const { connector } = connect()
    const connection = connector.connect(server.url, { client: { registered } })
    await expect(connection.authorize()).rejects.toMatchObject({
      code: 'issuer_not_expected',
      step: 'discover',
      url: server.url,
      expected: 'https://as.example',
      received: `${one.issuer} ${two.issuer}`,
      hint: expect.stringContaining('client.registered'),
      action: 'fix_configuration',
    })
    expect([...one.requests, ...two.requests]).toEqual([])
  })

  it('for whichever server of the connector: this one is another', async () => {
    const { connection } = connect({ client: { registered } })
    expect((await ping(connection)).status).toBe(200)
    for (const { url, body } of one.requests) expect(url + body).not.toContain('by-hand')
  })

  it('that differs by a slash from what the document says: no other client in its place, in silence', async () => {
    without(one, { issuer: `${one.issuer}/` })
    const own = { issuer: one.issuer, clientId: 'by-hand' }
    await expect(ping(connect({ client: { registered: own } }).connection)).rejects.toMatchObject({
      code: 'issuer_not_expected',
      expected: one.issuer,
      received: `${one.issuer}/`,
    })
    expect(askedOf(one)).toEqual([metadata])
  })
})
