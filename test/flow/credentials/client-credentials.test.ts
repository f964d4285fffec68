import { type ConnectorOptions, clientCredentials, createConnector, memoryStore } from '@countersign/core'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { collector } from '../../support/collector.js'
import { mcpClient, ping } from '../../support/mcp-client.js'
import { realServers } from '../../support/real-servers.js'
import { simulatedClock } from '../../support/simulated-clock.js'
import { storedText } from '../../support/stored.js'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const bySecret = { client_id: 'job', client_secret: 'the secret of the job' }
const byKey = {
  client_id: 'job-with-a-key',
  token_endpoint_auth_method: 'private_key_jwt' as const,
  jwks: { keys: [await exportJWK(publicKey)] },
  token_endpoint_auth_signing_alg: 'ES256' as const,
}
const alone = {
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
  scope: 'notes:read notes:write',
}

describe('client credentials at a real server (RFC 6749 section 4.4)', () => {
  const servers = realServers({
    as: { clients: [bySecret, byKey].map((client) => ({ ...alone, ...client })) },
    mcp: { requiredScope: 'notes:read' },
  })
  const open = closing()
  const job = () => ({ issuer: servers.as.issuer, clientId: 'job', clientSecret: bySecret.client_secret })
  const connect = (credentials = clientCredentials(job()), more: ConnectorOptions = {}) =>
    open(createConnector({ credentials, ...more })).connect(servers.mcp.url)

  it('an MCP client gets in, and nobody was asked and nothing registered', async () => {
    await using client = await mcpClient(connect())
    expect(await client.call('whoami')).toBe('job (notes:read)')
    expect(servers.grants).toEqual(['client_credentials'])
    expect(servers.asked('/reg') + servers.asked('/auth')).toBe(0)
  })

  it('a key does as well as a secret', async () => {
    const { issuer } = servers.as
    const connection = connect(clientCredentials({ issuer, clientId: 'job-with-a-key', privateKey }))
    expect((await ping(connection)).status).not.toBe(401)
    expect(servers.grants).toEqual(['client_credentials'])
  })

  it('the snapshot and explain() say where the token is from', async () => {
    const connection = connect()
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in', refreshing: false })
    expect((await connection.explain()).grant).toMatchObject({
      issuer: servers.as.issuer,
      clientId: 'job',
      clientOrigin: 'registered',
      renewable: true,
    })
  })

  it('token() acquires where there is none, and anew when told to', async () => {
    const connection = connect()
    const first = await connection.token()
    expect((await connection.token()).accessToken).toBe(first.accessToken)
    const second = await connection.token({ refresh: true })
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(servers.grants).toHaveLength(2)
  })

  it('a token that the server refuses is followed by one new one, and then by an error that names what it carries', async () => {
    const connection = connect()
    await connection.token()
    servers.mcp.rejects = () => true
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'credentials_rejected',
      received: expect.stringContaining(`iss ${servers.as.issuer}`),
    })
    expect(servers.grants).toHaveLength(2)
  })

  it('many requests at once, over two connectors of one store, ask once', async () => {
    const store = memoryStore()
    const connections = [1, 2].map(() => connect(clientCredentials(job()), { store }))
    const answers = await Promise.all([...connections, ...connections, ...connections].map((each) => ping(each)))
    expect(answers.some(({ status }) => status === 401)).toBe(false)
    expect(servers.grants).toHaveLength(1)
  })

  it('another process uses what one has acquired, and no record has the secret', async () => {
    const store = memoryStore()
    await ping(connect(clientCredentials(job()), { store }))
    await connect(clientCredentials(job()), { store }).token()
    expect(servers.grants).toHaveLength(1)
    expect(await storedText(store)).not.toContain(bySecret.client_secret)
  })

  it('a sign-out revokes it, and only authorize() asks again', async () => {
    const connection = connect()
    await connection.token()
    await connection.signOut()
    expect(servers.asked('/token/revocation')).toBe(1)
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required', received: 'a sign-out' })
    await expect(connection.token()).rejects.toMatchObject({ code: 'interaction_required' })
    expect(servers.grants).toHaveLength(1)
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(servers.grants).toHaveLength(2)
  })

  it('a wrong secret is an error that says so, and the snapshot shows it', async () => {
    const connection = connect(clientCredentials({ ...job(), clientSecret: 'not the secret' }))
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'token_request_rejected',
      step: 'acquire',
      oauth: { error: 'invalid_client' },
      action: 'fix_configuration',
    })
    expect(connection.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'token_request_rejected' } })
    expect(servers.grants).toHaveLength(1)
  })

  it('a supplier is asked once more when the server refuses what it gave', async () => {
    const given = ['the secret of last month', bySecret.client_secret]
    const connection = connect(clientCredentials({ ...job(), clientSecret: async () => given.shift() ?? '' }))
    expect(await connection.token()).toMatchObject({ tokenType: 'Bearer' })
    expect(servers.grants).toHaveLength(2)
  })

  it('a supplier that gives the same again is not believed a second time', async () => {
    const connection = connect(clientCredentials({ ...job(), clientSecret: async () => 'not the secret' }))
    await expect(connection.token()).rejects.toMatchObject({ oauth: { error: 'invalid_client' } })
    expect(servers.grants).toHaveLength(1)
  })
})

describe('client credentials', () => {
  const open = closing()

  async function scripted(more: ConnectorOptions = {}) {
    const server = open(await scriptedAuthorization())
    const issued: URLSearchParams[] = []
    server.routes.token = ({ body }) => {
      const form = new URLSearchParams(body)
      issued.push(form)
      server.accessTokens.add(`t${issued.length}`)
      return {
        json: {
          access_token: `t${issued.length}`,
          token_type: 'Bearer',
          expires_in: 300,
          refresh_token: 'not wanted',
          scope: form.get('scope') ?? undefined,
        },
      }
    }
    const { issuer } = server
    const credentials = clientCredentials({ issuer, clientId: 'job', clientSecret: 'the secret of the job' })
    const connection = open(createConnector({ credentials, ...more })).connect(server.url)
    return { server, issued, connection, issuer }
  }

  it('PKCE is nothing that a server has to support for them', async () => {
    const { server, connection } = await scripted()
    server.routes.serverMetadata = { json: { issuer: server.issuer, token_endpoint: `${server.issuer}/token` } }
    expect((await ping(connection)).status).toBe(200)
  })

  it('a secret is used although the server lists nothing but none', async () => {
    const { server, connection } = await scripted()
    await connection.token()
    const [request] = server.requests.filter(({ path }) => path === '/token')
    expect(request?.headers.authorization).toBe(`Basic ${btoa('job:the+secret+of+the+job')}`)
  })

  it('a token near its expiry is replaced before it is used, and a refresh token is not kept', async () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    const { issued, connection } = await scripted({ clock, store })
    await ping(connection)
    await ping(connection)
    expect(issued).toHaveLength(1)
    await clock.advance(260_000)
    expect((await ping(connection)).status).toBe(200)
    expect(issued.map((form) => form.get('grant_type'))).toEqual(['client_credentials', 'client_credentials'])
    expect(await storedText(store)).not.toContain('not wanted')
  })

  it('more scope is acquired where the server asks for it, with what was asked before, once the host agrees', {
    tags: ['mcp/step-up-for-itself'],
  }, async () => {
    const asked: string[] = []
    const { server, issued, connection } = await scripted({
      onStepUp: ({ scope }) => asked.push(scope) > 0,
    })
    server.routes.resourceMetadata = (_request, usual) => ({
      json: { ...(usual().json as object), scopes_supported: ['a'] },
    })
    server.routes.mcp = ({ headers }, usual) =>
      headers.authorization === 'Bearer t1'
        ? { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="b"' } }
        : usual()
    expect((await ping(connection)).status).toBe(200)
    expect(issued.map((form) => form.get('scope'))).toEqual(['a', 'a b'])
    expect(asked).toEqual(['a b'])
  })

  it('no one is asked, so there is no use for a user agent', () => {
    const credentials = clientCredentials({ issuer: 'https://as.example', clientId: 'c', clientSecret: 's' })
    const userAgent = { onDemand: true, begin: () => expect.fail('nobody is asked') }
    expect(() => createConnector({ credentials, userAgent })).toThrow(/credentials or userAgent.*both/)
  })

  it('nor for beginAuthorization()', async () => {
    const { connection } = await scripted()
    const begun = connection.beginAuthorization({ redirectUri: 'https://app.example/cb' })
    await expect(begun).rejects.toMatchObject({ code: 'interaction_required' })
  })

  it('a client that cannot prove itself is refused at once', () => {
    expect(() => clientCredentials({ issuer: 'https://as.example', clientId: 'c' })).toThrow(
      /clientSecret or a privateKey/,
    )
  })

  it.each([
    ['what the server answers', { status: 200, json: { access_token: 't' } }, undefined],
    ['a server that is busy', { status: 503 }, 'server_unavailable'],
    ['a server without an answer that means anything', { status: 200, json: {} }, 'token_response_invalid'],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }, 'redirect_refused'],
  ])('%s', async (_name, token, code) => {
    const { server, connection } = await scripted()
    server.routes.token = token
    const outcome = await connection.token().then(
      () => undefined,
      (error) => error.code,
    )
    expect(outcome).toBe(code)
  })

  it('closing does not wait for a server that is silent', async () => {
    const { server, issuer } = await scripted()
    let arrived = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      arrived = resolve
    })
    server.routes.token = () => {
      arrived()
      return new Promise(() => undefined)
    }
    const seen = collector()
    const credentials = clientCredentials({ issuer, clientId: 'job', clientSecret: 'the secret of the job' })
    const connector = createConnector({ credentials, log: seen.log })
    const token = connector.connect(server.url).token()
    token.catch(() => undefined)
    await asked
    await connector.close()
    await expect(token).rejects.toMatchObject({ code: 'connector_closed' })
  })
})
