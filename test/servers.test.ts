import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  type PlainClient,
  person,
  plainClient,
  startAuthorizationServer,
  startScriptableServer,
} from './servers/index.js'

const resource = 'http://127.0.0.1:3000/mcp'

describe('the authorization server', () => {
  let server: AuthorizationServer
  let client: PlainClient

  beforeAll(async () => {
    server = await startAuthorizationServer()
    client = await plainClient(server.issuer, { resource })
  })
  afterEach(() => {
    server.clearRequests()
  })
  afterAll(async () => {
    await server.close()
    expect(server.errors).toEqual([])
  })

  it('issues a JWT for the resource alone, and a refresh token without offline_access', async () => {
    const { status, body } = await client.signIn(person({ login: 'bob' }))
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'notes:read notes:write' })
    expect(body.refresh_token).toEqual(expect.any(String))
    expect(decodeJwt(String(body.access_token))).toMatchObject({
      aud: resource,
      iss: server.issuer,
      sub: 'bob',
      scope: 'notes:read notes:write',
    })
  })

  it('answers with state and iss', async () => {
    const response = await client.authorize(person())
    expect(Object.fromEntries(response)).toEqual({
      code: expect.any(String),
      state: 'plain-state',
      iss: server.issuer,
    })
  })

  it('takes a native client back at any loopback port', async () => {
    const parameters = { redirect_uri: 'http://127.0.0.1:1234/callback' }
    expect(await client.signIn(person(), parameters)).toMatchObject({ status: 200 })
  })

  it('leads a person to the page of the client, and no further', async () => {
    const page = '<p>You may close this page</p><form action="/more" method="post"><input name="a"></form>'
    await using callback = await startScriptableServer(() => ({ body: page }))
    const parameters = { redirect_uri: `${callback.origin}/callback` }
    const end = await person().open(client.authorizationUrl(parameters))
    expect(end).toMatchObject({ status: 200, body: page })
    expect(new URL(end.url).searchParams.get('state')).toBe('plain-state')
    expect(callback.requests).toHaveLength(1)
  })

  it('keeps its own page for a redirect URI that is not registered', async () => {
    const url = client.authorizationUrl({ redirect_uri: 'http://127.0.0.1:1234/elsewhere' })
    expect(await person().open(url)).toMatchObject({
      status: 400,
      body: expect.stringContaining('invalid_redirect_uri'),
    })
    await expect(person().authorizationResponse(url)).rejects.toThrow(/400 .*invalid_redirect_uri/)
  })

  it('lets a person deny', async () => {
    const response = await client.authorize(person({ decision: 'deny' }))
    expect(Object.fromEntries(response)).toMatchObject({
      error: 'access_denied',
      state: 'plain-state',
      iss: server.issuer,
    })
  })

  it('remembers the login of a person who comes back, not of another', async () => {
    const alice = person({ login: 'alice' })
    await client.signIn(alice)
    alice.login = 'somebody else'
    const { body } = await client.signIn(alice)
    expect(decodeJwt(String(body.access_token)).sub).toBe('alice')
  })

  it.each([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['for a resource off loopback', { resource: 'https://mcp.example.com/mcp' }, 'invalid_target'],
    ['without scope', { scope: undefined }, 'access_denied'],
  ])('refuses an authorization request %s', async (_name, parameters, error) => {
    expect((await client.authorize(person(), parameters)).get('error')).toBe(error)
  })

  it('refuses a token request for another resource, with a wrong verifier, or with a code used twice', async () => {
    const code = async (): Promise<string> => String((await client.authorize(person())).get('code'))
    const other = await client.exchange(await code(), { resource: 'http://127.0.0.1:3000/other' })
    expect(other).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    const wrong = await client.exchange(await code(), { code_verifier: 'x'.repeat(43) })
    expect(wrong).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const once = await code()
    expect(await client.exchange(once)).toMatchObject({ status: 200 })
    expect(await client.exchange(once)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('rotates refresh tokens, and ends the whole grant when an old one comes back', async () => {
    const { body: first } = await client.signIn(person())
    const { status, body: second } = await client.refresh(first.refresh_token)
    expect(status).toBe(200)
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(decodeJwt(String(second.access_token)).aud).toBe(resource)

    const refused = { status: 400, body: { error: 'invalid_grant' } }
    expect(await client.refresh(first.refresh_token)).toMatchObject(refused)
    expect(await client.refresh(second.refresh_token)).toMatchObject(refused)
  })

  it('revokes a refresh token, and says that it cannot revoke a JWT', async () => {
    const { body } = await client.signIn(person())
    expect(await client.revoke(body.access_token)).toMatchObject({
      status: 400,
      body: { error: 'unsupported_token_type' },
    })
    expect(await client.revoke(body.refresh_token)).toEqual({ status: 200, body: {} })
    expect(await client.refresh(body.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('forgets clients when told to', async () => {
    const forgotten = await plainClient(server.issuer, { resource })
    const { body } = await forgotten.signIn(person())
    server.forgetClients()
    expect(await forgotten.refresh(body.refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    expect(await person().open(forgotten.authorizationUrl())).toMatchObject({ status: 400 })
    client = await plainClient(server.issuer, { resource })
  })

  it('logs what reached it, without secrets', async () => {
    const { body } = await client.signIn(person())
    await client.refresh(body.refresh_token)
    const tokens = server.requests.filter((request) => request.path === '/token')
    expect(tokens).toEqual([
      { method: 'POST', path: '/token', grant_type: 'authorization_code', status: 200, at: expect.any(Number) },
      { method: 'POST', path: '/token', grant_type: 'refresh_token', status: 200, at: expect.any(Number) },
    ])
    expect(JSON.stringify(server.requests)).not.toContain(body.refresh_token)
  })

  it.each([
    ['both', [200, 200]],
    ['oauth', [200, 404]],
    ['openid', [404, 200]],
  ] as const)('publishes its metadata: %s', async (metadata, expected) => {
    await using other = await startAuthorizationServer({ metadata })
    const names = ['oauth-authorization-server', 'openid-configuration']
    const answers = await Promise.all(names.map((name) => fetch(`${other.issuer}/.well-known/${name}`)))
    expect(answers.map((answer) => answer.status)).toEqual(expected)
    const document = await answers[expected.indexOf(200)]?.json()
    expect(document).toMatchObject({
      issuer: other.issuer,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  it('knows clients registered beforehand, a default scope and a list of resources', async () => {
    const registered = {
      client_id: 'beforehand',
      token_endpoint_auth_method: 'none' as const,
      application_type: 'native' as const,
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code'],
    }
    const options = { clients: [registered], defaultScope: 'notes:read', resources: [resource] }
    await using other = await startAuthorizationServer(options)
    const plain = await plainClient(other.issuer, { resource, clientId: 'beforehand' })
    const { body } = await plain.signIn(person(), { scope: undefined })
    expect(body).toMatchObject({ scope: 'notes:read' })
    expect(body).not.toHaveProperty('refresh_token')
    const elsewhere = await plain.authorize(person(), { resource: 'http://127.0.0.1:3001/mcp' })
    expect(elsewhere.get('error')).toBe('invalid_target')
  })
})

it('prints nothing, and leaves nothing behind that keeps a process alive', async () => {
  const script = `
    const { startAuthorizationServer, startMcpServer, person, plainClient } = await import(process.argv[1])
    const servers = await Promise.all([startAuthorizationServer(), startAuthorizationServer()])
    const mcp = await startMcpServer({ authorizationServer: servers[0] })
    const client = await plainClient(servers[0].issuer, { resource: mcp.resource })
    const { body } = await client.signIn(person())
    await client.revoke(body.refresh_token)
    await person().open(client.authorizationUrl({ redirect_uri: 'http://127.0.0.1/other' }))
    await (await fetch(mcp.url, { headers: { authorization: 'Bearer ' + body.access_token } })).text()
    await Promise.all([...servers, mcp].map((server) => server.close()))`
  const index = new URL('./servers/index.ts', import.meta.url).href
  const node = ['--import', 'tsx', '--input-type=module', '-e', script, index]
  const printed = await promisify(execFile)(process.execPath, node, { timeout: 15_000 })
  expect(printed).toEqual({ stdout: '', stderr: '' })
})
