import { type ConnectorOptions, CountersignError, createConnector, privateKeyJwt } from '@countersign/core'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { person, scriptedAuthorization, startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { recordingFetch } from '../support/sent.js'
import { scriptedAgent } from '../support/watched-agent.js'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const pem = await exportPKCS8(privateKey)
const clientId = 'registered-with-a-key'
const registration = {
  client_id: clientId,
  token_endpoint_auth_method: 'private_key_jwt' as const,
  token_endpoint_auth_signing_alg: 'ES256' as const,
  application_type: 'native' as const,
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] },
}

const claimsOf = (body: string): Record<string, unknown> => {
  const [, claims = ''] = (new URLSearchParams(body).get('client_assertion') ?? '').split('.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString())
}

describe('a client that authenticates by a key, at a real server', () => {
  const open = closing()

  async function connect(
    server: Parameters<typeof startAuthorizationServer>[0] = {},
    key: Partial<Parameters<typeof privateKeyJwt>[0]> = {},
  ) {
    const as = open(await startAuthorizationServer({ clients: [registration], ...server }))
    const mcp = open(await startMcpServer({ authorizationServer: as }))
    const alice = person()
    const out = recordingFetch()
    const { issuer } = as
    const options: ConnectorOptions = {
      oauthFetch: out.fetch,
      userAgent: scriptedAgent({
        browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
      }),
      client: {
        registered: privateKeyJwt({
          issuer,
          clientId,
          privateKey: pem,
          signingAlgorithm: 'ES256',
          keyId: 'k1',
          ...key,
        }),
      },
    }
    const connection = open(createConnector(options)).connect(mcp.url)
    const posts = (path: string) => out.sent.filter(({ method, url }) => method === 'POST' && url.pathname === path)
    return { as, mcp, connection, posts }
  }

  it('signs in, refreshes and revokes, each request with an assertion of its own for the issuer', {
    tags: ['rfc7523/client-assertion'],
  }, async () => {
    const { as, connection, posts } = await connect()
    await connection.authorize()
    await connection.token({ refresh: true })
    await connection.signOut()
    const sent = [...posts('/token'), ...posts('/token/revocation')].map(({ body }) => claimsOf(body))
    expect(sent).toHaveLength(4)
    for (const claims of sent) expect(claims).toMatchObject({ iss: clientId, sub: clientId, aud: as.issuer })
    expect(new Set(sent.map(({ jti }) => jti)).size).toBe(4)
    expect(as.requests.filter(({ status }) => status === 401)).toEqual([])
  })

  it('pushes the authorization request where the server requires it, with its assertion', async () => {
    const { as, connection, posts } = await connect({ requirePushed: true })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    const [pushed] = posts('/request')
    expect(claimsOf(pushed?.body ?? '')).toMatchObject({ aud: as.issuer })
    expect(Object.fromEntries(new URLSearchParams(pushed?.body))).toMatchObject({
      client_id: clientId,
      code_challenge_method: 'S256',
      resource: connection.url,
    })
  })

  it('with a supplier: the key is asked for again at each use', async () => {
    let asked = 0
    const supply = async (): Promise<string> => {
      asked++
      return pem
    }
    const { connection } = await connect({}, { privateKey: supply })
    await connection.authorize()
    await connection.token({ refresh: true })
    expect(asked).toBe(2)
  })

  it('with a key that cannot be read: nothing is sent to the token endpoint, and the login is kept', async () => {
    let given = pem
    const { connection, posts } = await connect({}, { privateKey: async () => given })
    await connection.authorize()
    given = 'no key'
    const before = posts('/token').length
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'options_invalid' })
    expect(posts('/token')).toHaveLength(before)
    given = pem
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'Bearer' })
  })
})

describe('a pushed authorization request (RFC 9126)', () => {
  const open = closing()

  async function connect(pushed: Parameters<typeof scriptedAuthorization>[0]) {
    const server = open(await scriptedAuthorization(pushed))
    server.routes.serverMetadata = (_request, usual) => ({
      json: {
        ...(usual().json as object),
        pushed_authorization_request_endpoint: `${server.issuer}/par`,
        require_pushed_authorization_requests: true,
      },
    })
    const agent = scriptedAgent()
    const connection = open(createConnector({ userAgent: agent })).connect(server.url)
    return { server, connection, agent }
  }

  it('leaves the browser nothing to carry but the client and a reference', async () => {
    const { server, connection, agent } = await connect({
      routes: { other: { status: 201, json: { request_uri: 'urn:ietf:params:oauth:request_uri:1', expires_in: 60 } } },
    })
    await ping(connection).catch(() => undefined)
    const [page] = agent.pages
    const { searchParams } = new URL(page?.kind === 'redirect' ? page.authorizationUrl : '')
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: expect.stringMatching(/^scripted-client/),
      request_uri: 'urn:ietf:params:oauth:request_uri:1',
    })
    const [par] = server.requests.filter(({ path }) => path === '/par')
    expect(new URLSearchParams(par?.body).get('resource')).toBe(server.url)
  })

  it('that is refused says so before a page is opened', async () => {
    const json = { error: 'invalid_request', error_description: 'redirect_uri is not one of this client' }
    const { connection, agent } = await connect({ routes: { other: { status: 400, json } } })
    const error = await connection.authorize().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'authorization_rejected', step: 'prepare', oauth: json })
    expect(CountersignError.is(error) && error.message).toContain('/par')
    expect(agent.pages).toEqual([])
  })

  it('that nobody knows the client of registers it again, once', async () => {
    const { server, connection } = await connect({
      routes: { other: { status: 401, json: { error: 'invalid_client' } } },
    })
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'client_forgotten' })
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(2)
  })

  it.each([
    [{ status: 503 }, 'server_unavailable'],
    [{ status: 201, json: { expires_in: 60 } }, 'authorization_rejected'],
    [{ status: 302, headers: { location: 'https://elsewhere.example' } }, 'redirect_refused'],
  ])('that is answered with %j is %s', async (other, code) => {
    const { connection, agent } = await connect({ routes: { other } })
    await expect(connection.authorize()).rejects.toMatchObject({ code })
    expect(agent.pages).toEqual([])
  })
})
