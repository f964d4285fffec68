import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type ScriptedOverride, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { realServers } from '../support/real-servers.js'
import { followRedirect } from '../support/watched-agent.js'

const redirectUri = 'http://127.0.0.1:1/callback'
const clientIn = (authorizationUrl: string): string | null => new URL(authorizationUrl).searchParams.get('client_id')

describe('a stored registration that no login tells of', () => {
  const open = closing()

  /** A login that was begun and never came to its end, and what the next one does. */
  async function abandoned(options: ConnectorOptions = {}) {
    const server = open(await scriptedAuthorization())
    const seen = collector()
    const connector = open(createConnector({ store: memoryStore(), log: seen.log, ...options }))
    const connection = connector.connect(server.url)
    const first = clientIn((await connection.beginAuthorization({ redirectUri })).authorizationUrl)
    server.clearRequests()
    const asked = (path: string) => server.requests.filter((request) => request.path === path)
    const begin = async () => (await connection.beginAuthorization({ redirectUri })).authorizationUrl
    return { server, seen, connection, connector, first, asked, begin }
  }

  it('is asked after at the authorization endpoint, before a person is: one that is known there stays', async () => {
    const { first, asked, begin } = await abandoned()
    const url = await begin()
    expect(clientIn(url)).toBe(first)
    expect([asked('/authorize').length, asked('/register').length]).toEqual([1, 0])
  })

  it('is asked after with a state and a challenge that nobody can use', async () => {
    const { asked, begin } = await abandoned()
    const page = new URL(await begin()).searchParams
    const question = new URLSearchParams(asked('/authorize')[0]?.query)
    for (const name of ['state', 'code_challenge']) {
      expect(question.get(name)).toMatch(/^[\w-]{43}$/)
      expect(question.get(name)).not.toBe(page.get(name))
    }
    for (const name of ['client_id', 'redirect_uri', 'resource', 'code_challenge_method', 'response_type']) {
      expect(question.get(name)).toBe(page.get(name))
    }
  })

  it.each<[string, ScriptedOverride]>([
    ['an error of OAuth', { status: 400, json: { error: 'invalid_client' } }],
    ['a page for people', { status: 400, headers: { 'content-type': 'text/html' }, body: '<p>Unknown Client</p>' }],
    ['whatever the status', { status: 404, body: 'client_id not found' }],
  ])('and refused there is made again, and the person goes there with the new one: %s', async (_name, refusal) => {
    const { server, seen, first, asked, begin } = await abandoned()
    server.routes.authorize = refusal
    const second = clientIn(await begin())
    expect(second).not.toBe(first)
    expect(asked('/register')).toHaveLength(1)
    expect(seen.types).toContain('re_registered')
  })

  it.each<[string, ScriptedOverride]>([
    ['its login page', { status: 200, body: 'Which client? Sign in.' }],
    ['a redirect, wherever it leads', { status: 302, headers: { location: 'https://login.example/client' } }],
    ['a refusal for another reason', { status: 400, body: '<script>document.body.clientWidth</script> No cookies.' }],
    ['that it is busy', { status: 429, body: 'this client is too fast' }],
    ['that it is broken', { status: 500, body: 'client' }],
    ['nothing', { destroy: true }],
  ])('stays as it is where the endpoint answers with %s', async (_name, answer) => {
    const { server, first, asked, begin } = await abandoned()
    server.routes.authorize = answer
    expect(clientIn(await begin())).toBe(first)
    expect(asked('/register')).toHaveLength(0)
  })

  it('is not asked after once a login was made with it, by whichever account', async () => {
    const { server, connection, connector, asked } = await abandoned()
    const { authorizationUrl, state } = await connection.beginAuthorization({ redirectUri })
    await connector.completeAuthorization(await followRedirect(authorizationUrl), { state })
    server.clearRequests()
    await connector.connect(server.url, { account: 'bob' }).beginAuthorization({ redirectUri })
    expect(asked('/authorize')).toHaveLength(0)
    await connection.signOut()
    await connection.beginAuthorization({ redirectUri })
    expect(asked('/authorize')).toHaveLength(1)
  })

  it.each<[string, ScriptedOverride | undefined, ScriptedOverride]>([
    ['was refused for good', undefined, { status: 400, json: { error: 'invalid_grant' } }],
    ['never came', { json: { access_token: 'alone', token_type: 'Bearer' } }, { status: 500 }],
  ])('is asked after again where no login can tell of it any more: the refresh token %s', async (_name, at, then) => {
    const { server, connection, connector, first, begin } = await abandoned()
    if (at) server.routes.token = at
    const { authorizationUrl, state } = await connection.beginAuthorization({ redirectUri })
    await connector.completeAuthorization(await followRedirect(authorizationUrl), { state })
    server.routes.token = then
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    server.routes.authorize = { status: 400, json: { error: 'invalid_client' } }
    expect(clientIn(await begin())).not.toBe(first)
  })

  it('is not asked after where requests have to be pushed: that one answers by itself', async () => {
    const { server, asked, begin } = await abandoned()
    server.routes.authorize = { status: 400, json: { error: 'invalid_client' } }
    server.routes.serverMetadata = (_request, usual) => ({
      json: {
        ...(usual().json as object),
        require_pushed_authorization_requests: true,
        pushed_authorization_request_endpoint: `${server.issuer}/par`,
      },
    })
    server.routes.other = ({ path }) =>
      path === '/par' ? { status: 201, json: { request_uri: 'urn:x', expires_in: 60 } } : { status: 404 }
    await begin()
    expect(asked('/authorize')).toHaveLength(0)
  })
})

describe('a client that a person registered, or a document', () => {
  const open = closing()

  it('is never asked after', async () => {
    const server = open(await scriptedAuthorization())
    const client = { registered: { issuer: server.issuer, clientId: 'by-hand' } }
    const connection = open(createConnector({ client })).connect(server.url)
    for (let time = 0; time < 2; time++) await connection.beginAuthorization({ redirectUri })
    expect(server.requests.map(({ path }) => path)).not.toContain('/authorize')
  })
})

describe('a real server that has forgotten a client', () => {
  const servers = realServers({})
  const open = closing()

  it('says so at its authorization endpoint: nobody ends at its error page', async () => {
    const connection = open(createConnector({})).connect(servers.mcp.url)
    const first = await connection.beginAuthorization({ redirectUri })
    const known = await connection.beginAuthorization({ redirectUri })
    expect(clientIn(known.authorizationUrl)).toBe(clientIn(first.authorizationUrl))
    servers.as.forgetClients()
    const again = await connection.beginAuthorization({ redirectUri })
    expect(clientIn(again.authorizationUrl)).not.toBe(clientIn(first.authorizationUrl))
    expect((await fetch(again.authorizationUrl, { redirect: 'manual' })).status).toBe(303)
  })
})
