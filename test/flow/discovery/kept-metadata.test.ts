import { type ConnectorOptions, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedOverride, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { askedOf } from '../../support/issuers.js'
import { ping } from '../../support/mcp-client.js'
import { type SimulatedClock, simulatedClock } from '../../support/simulated-clock.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
let store: Store
let clock: SimulatedClock
beforeEach(async () => {
  server = open(await scriptedAuthorization())
  clock = simulatedClock()
  store = memoryStore(() => clock.now())
})

const ofResource = 'GET /.well-known/oauth-protected-resource/mcp'
const ofServer = 'GET /.well-known/oauth-authorization-server'

/** A route's usual answer, with these headers. */
const withHeaders =
  (headers: Record<string, string>): ScriptedOverride =>
  (_request, usual) => ({ ...usual(), headers: { ...usual().headers, ...headers } })

const connector = (options: ConnectorOptions = {}) =>
  open(createConnector({ userAgent: scriptedAgent(), store, clock, interaction: 'on-demand', ...options }))

/** The documents that the first login of an account asks for. */
async function login(account: string, options: ConnectorOptions = {}): Promise<readonly string[]> {
  server.clearRequests()
  expect((await ping(connector(options).connect(server.url, { account }))).status).toBe(200)
  return askedOf(server).filter((request) => request.includes('/.well-known/'))
}

describe('metadata', () => {
  it('of a resource is kept as long as its headers say, for whoever signs in next', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'public, max-age=600' })
    expect(await login('alice')).toEqual([ofResource, ofServer])
    expect(await login('bob')).toEqual([])
    await clock.advance(600_000)
    expect(await login('carol')).toEqual([ofResource])
  })

  it.each<[string, Record<string, string>]>([
    ['without cache headers', {}],
    ['with no-store', { 'cache-control': 'no-store, max-age=600' }],
    ['with no-cache', { 'cache-control': 'no-cache' }],
    ['with an age as great as its lifetime', { 'cache-control': 'max-age=600', age: '600' }],
  ])('of a resource %s is read for every login', async (_name, headers) => {
    server.routes.resourceMetadata = withHeaders(headers)
    expect(await login('alice')).toContain(ofResource)
    expect(await login('bob')).toContain(ofResource)
  })

  it('of an authorization server is kept for an hour where its headers say nothing', async () => {
    expect(await login('alice')).toContain(ofServer)
    await clock.advance(3_599_000)
    expect(await login('bob')).not.toContain(ofServer)
    await clock.advance(2_000)
    expect(await login('carol')).toContain(ofServer)
  })

  it('is kept for a day at most', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=31536000' })
    await login('alice')
    await clock.advance(86_400_000)
    expect(await login('bob')).toContain(ofResource)
  })

  it('that must not be kept any more is dropped', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=10' })
    await login('alice')
    delete server.routes.resourceMetadata
    await clock.advance(20_000)
    await login('bob')
    expect((await store.keys('')).filter((key) => key.includes('/discovery/'))).toHaveLength(1)
  })

  it('is contradicted by a challenge that names another document', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=600' })
    await login('alice')
    server.routes.mcp = (_request, usual) => {
      const answer = usual()
      const challenge = `Bearer resource_metadata="${server.origin}/elsewhere"`
      return answer.status === 401 ? { ...answer, headers: { 'www-authenticate': challenge } } : answer
    }
    server.routes.other = ({ path }) =>
      path === '/elsewhere' ? { json: { resource: server.url, authorization_servers: [server.issuer] } } : undefined
    await login('bob')
    expect(askedOf(server)).toContain('GET /elsewhere')
  })

  it('is read past what is kept when a token is refused', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=600' })
    await login('alice')
    server.accessTokens.clear()
    expect(await login('alice')).toEqual([ofResource])
    expect(askedOf(server)).toContain('POST /token')
  })

  it('is read anew for a login that replaces one', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=600' })
    await login('alice')
    server.clearRequests()
    await connector().connect(server.url, { account: 'alice' }).authorize({ force: true })
    expect(askedOf(server).slice(0, 2)).toEqual([ofResource, ofServer])
  })

  it('is read anew after a login that failed: what was kept may be what is wrong', async () => {
    server.routes.serverMetadata = withHeaders({ 'cache-control': 'max-age=600' })
    await login('alice')
    const connection = connector().connect(server.url, { account: 'bob' })
    server.routes.token = { status: 500 }
    await expect(connection.authorize()).rejects.toMatchObject({ step: 'exchange' })
    delete server.routes.token
    server.clearRequests()
    await connection.authorize()
    expect(askedOf(server)).toContain(ofServer)
  })

  it('that was kept is not believed where it is broken', async () => {
    server.routes.resourceMetadata = withHeaders({ 'cache-control': 'max-age=600' })
    await login('alice')
    for (const key of await store.keys('')) {
      if (key.includes('/discovery/')) await store.replace(key, await store.get(key), '{"format":1}')
    }
    expect(await login('bob')).toEqual([ofResource, ofServer])
  })
})
