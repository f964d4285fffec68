import {
  type Connection,
  type ConnectorOptions,
  clientCredentials,
  createConnector,
  dpop,
  enterpriseManaged,
  memoryKeys,
  memoryStore,
  privateKeyJwt,
  tokenExchange,
} from '@countersign/core'
import { calculateJwkThumbprint, decodeJwt, exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  type AuthorizationServerOptions,
  type McpServerOptions,
  person,
  plainClient,
  startAuthorizationServer,
  startMcpServer,
} from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { mcpClient, ping } from '../../support/mcp-client.js'
import { proofsIn } from '../../support/proofs.js'
import { recordingFetch, type Sent } from '../../support/sent.js'
import { recordIn } from '../../support/stored.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Without a session the server takes no request, but it says so to nobody whose token or proof is not good. */
const getsIn = async (connection: Connection): Promise<void> => {
  expect((await ping(connection)).status).toBe(400)
}

/** `oidc-provider` with proofs, and an MCP server that verifies each. */
describe('tokens that are bound to a key, at real servers', () => {
  const open = closing()

  async function connect(
    options: ConnectorOptions = {},
    { as: authorization, mcp: resource }: { as?: AuthorizationServerOptions; mcp?: Partial<McpServerOptions> } = {},
  ) {
    const as = open(await startAuthorizationServer({ proofNonces: true, ...authorization }))
    const mcp = open(await startMcpServer({ authorizationServer: as, dpop: 'required', ...resource }))
    const alice = person({ login: 'alice' })
    const out = recordingFetch()
    const store = memoryStore()
    const keys = memoryKeys()
    const agent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const all: ConnectorOptions = { store, keys, dpop: dpop(), fetch: out.fetch, oauthFetch: out.fetch, ...options }
    const connector = open(createConnector(options.credentials ? all : { userAgent: agent, ...all }))
    const to = (path: string): readonly Sent[] => out.sent.filter(({ url }) => url.pathname === path)
    return { as, mcp, connector, connection: connector.connect(mcp.url), to, sent: out.sent, store, keys, agent }
  }

  it('a client of the official SDK gets in, with the nonces of both servers, and refreshes with the same key', {
    tags: [
      'rfc9449/header',
      'rfc9449/claims',
      'rfc9449/unique',
      'rfc9449/ath',
      'rfc9449/nonce',
      'rfc9449/token-requests',
      'rfc9449/refresh-key',
      'rfc9449/scheme',
    ],
  }, async () => {
    const { as, mcp, connection, to, sent, agent } = await connect()
    mcp.nonce = 'nonce-of-the-resource'
    {
      await using client = await mcpClient(connection)
      expect(await client.call('list_notes')).toBeDefined()
    }
    await connection.token({ refresh: true })
    await getsIn(connection)

    const proofs = proofsIn(sent)
    const jkts = await Promise.all(proofs.map(({ header }) => calculateJwkThumbprint(header.jwk!)))
    expect(new Set(jkts)).toEqual(
      new Set([decodeJwt((await connection.token()).accessToken).cnf].map((cnf) => Object(cnf).jkt)),
    )
    expect(new Set(proofs.map(({ claims }) => claims.jti)).size).toBe(proofs.length)
    for (const { header } of proofs) {
      expect(header).toEqual({
        alg: 'ES256',
        typ: 'dpop+jwt',
        jwk: { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
      })
    }
    // The first token request brought the nonce, the refresh had it.
    expect(to('/token').map(({ headers }) => headers.has('dpop'))).toEqual([true, true, true])
    expect(as.requests.filter(({ path }) => path === '/token').map(({ status }) => status)).toEqual([400, 200, 200])
    for (const { headers } of to('/mcp').filter(({ headers }) => headers.has('authorization'))) {
      expect(headers.get('authorization')).toMatch(/^DPoP /)
      expect(headers.has('dpop')).toBe(true)
    }
    expect(mcp.requests.filter(({ bare, status }) => !bare && status === 401)).toHaveLength(1)
    expect(agent.begun).toBe(1)
    expect([...as.errors, ...mcp.errors]).toEqual([])
  })

  it('the authorization request names the key, and the record has its name and not the key', async () => {
    const { connection, agent, store, keys } = await connect()
    await connection.authorize()
    const [page] = agent.pages
    const { searchParams } = new URL(page?.kind === 'redirect' ? page.authorizationUrl : '')
    const { granted } = Object(await recordIn(store, 'grant'))
    const [id = ''] = await keys.ids()
    const jwk = await exportJWK((await keys.load(id))!.publicKey)
    const jkt = await calculateJwkThumbprint(jwk)
    expect(searchParams.get('dpop_jkt')).toBe(jkt)
    expect(granted.target).toMatchObject({ dpop_key_id: id, dpop_jkt: jkt, dpop_signing_alg: 'ES256' })
    expect(granted.tokens.token_type).toBe('DPoP')
    expect((await connection.explain()).grant?.dpop).toBe(true)
    expect(await connection.token()).toMatchObject({ tokenType: 'DPoP' })
  })

  it('a pushed authorization request names the key too', async () => {
    const { connection, to } = await connect({}, { as: { requirePushed: true } })
    await connection.authorize()
    expect(new URLSearchParams(to('/request')[0]?.body).get('dpop_jkt')).toMatch(/^[\w-]{43}$/)
    await getsIn(connection)
  })

  it('where the resource takes both kinds, the token is bound; where it says nothing, it is not', async () => {
    const offered = await connect({}, { mcp: { dpop: 'offered' } })
    await getsIn(offered.connection)
    expect(await offered.connection.token()).toMatchObject({ tokenType: 'DPoP' })

    const as = open(await startAuthorizationServer())
    const silent = open(await startMcpServer({ authorizationServer: as }))
    const plain = offered.connector.connect(silent.url)
    await getsIn(plain)
    expect(await plain.token()).toMatchObject({ tokenType: 'Bearer' })
  })

  it('client credentials are bound, by secret and by key, and each request has an assertion of its own', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const registration = {
      client_id: 'service',
      token_endpoint_auth_method: 'private_key_jwt' as const,
      token_endpoint_auth_signing_alg: 'ES256' as const,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      jwks: { keys: [await exportJWK(publicKey)] },
    }
    const as = open(await startAuthorizationServer({ proofNonces: true, clients: [registration] }))
    const mcp = open(await startMcpServer({ authorizationServer: as, dpop: 'required' }))
    const out = recordingFetch()
    const client = privateKeyJwt({
      issuer: as.issuer,
      clientId: 'service',
      privateKey: await exportPKCS8(privateKey),
      signingAlgorithm: 'ES256',
    })
    const options = { credentials: clientCredentials(client), dpop: dpop(), keys: memoryKeys(), oauthFetch: out.fetch }
    const connection = open(createConnector(options)).connect(mcp.url)
    await getsIn(connection)
    await connection.token({ refresh: true })
    await getsIn(connection)

    const requests = out.sent.filter(({ url }) => url.pathname === '/token')
    // Two at first: the server had a nonce to give. An assertion that comes twice is refused.
    expect(requests).toHaveLength(3)
    expect(new Set(requests.map(({ body }) => new URLSearchParams(body).get('client_assertion'))).size).toBe(3)
    expect(await options.keys.ids()).toHaveLength(1)
  })

  it('enterprise-managed access is bound at the server of the resource, and not at the identity provider', async () => {
    const clientId = 'the-host'
    const grants = (...grant_types: string[]) => ({
      client_id: clientId,
      redirect_uris: ['http://127.0.0.1:41999/callback'],
      grant_types,
      scope: 'openid notes:read notes:write',
    })
    const idp = open(
      await startAuthorizationServer({
        clients: [{ ...grants('authorization_code', TOKEN_EXCHANGE), client_secret: 'secret at the provider' }],
      }),
    )
    const as = open(
      await startAuthorizationServer({
        clients: [
          {
            ...grants(JWT_BEARER),
            redirect_uris: [],
            response_types: [],
            client_secret: 'secret at the server',
            scope: 'notes:read notes:write',
          },
        ],
        trustedIssuers: { [idp.issuer]: idp.jwksUri },
      }),
    )
    const mcp = open(await startMcpServer({ authorizationServer: as, dpop: 'required' }))
    const signOn = await plainClient(idp.issuer, { clientId })
    const response = await signOn.authorize(person({ login: 'alice' }), { scope: 'openid' })
    const { body } = await signOn.exchange(response.get('code') ?? '', { client_secret: 'secret at the provider' })
    const out = recordingFetch()
    const credentials = enterpriseManaged({
      issuer: as.issuer,
      clientId,
      clientSecret: 'secret at the server',
      identityProvider: { issuer: idp.issuer, clientId, clientSecret: 'secret at the provider' },
      idToken: String(body.id_token),
    })
    const connection = open(createConnector({ credentials, dpop: dpop(), oauthFetch: out.fetch })).connect(mcp.url)
    await getsIn(connection)
    const proven = out.sent.filter(({ url }) => url.pathname === '/token')
    expect(proven.map(({ url, headers }) => [url.origin, headers.has('dpop')])).toEqual([
      [idp.issuer, false],
      [as.issuer, true],
    ])
    expect([...as.errors, ...idp.errors]).toEqual([])
  })

  it('a token that is exchanged is bound to the same key, and says so', async () => {
    const client = {
      client_id: 'the-agent',
      token_endpoint_auth_method: 'none' as const,
      application_type: 'native' as const,
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
    }
    const as = open(await startAuthorizationServer({ clients: [client] }))
    const mcp = open(await startMcpServer({ authorizationServer: as, dpop: 'required' }))
    const alice = person({ login: 'alice' })
    const userAgent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const registered = { issuer: as.issuer, clientId: 'the-agent' }
    const options = { userAgent, client: { registered }, tokenExchange: tokenExchange(), dpop: dpop() }
    const connection = open(createConnector(options)).connect(mcp.url)
    await connection.authorize()
    const own = decodeJwt((await connection.token()).accessToken)
    const { accessToken, tokenType } = await connection.exchange({ scope: 'notes:read' })
    expect(tokenType).toBe('DPoP')
    expect(decodeJwt(accessToken)).toMatchObject({ scope: 'notes:read', cnf: own.cnf })
  })

  it('a sign-out revokes what was bound, and deletes the key', async () => {
    const { as, connection, keys } = await connect()
    await connection.authorize()
    await connection.signOut()
    const revocations = as.requests.filter(({ path }) => path === '/token/revocation')
    expect(revocations.length).toBeGreaterThan(0)
    expect(revocations.map(({ status }) => status)).toContain(200)
    expect(await keys.ids()).toEqual([])
  })

  it('two keys are never one: each login, and each account, has its own', async () => {
    const { connector, mcp, keys } = await connect()
    const jkts = new Set<unknown>()
    for (const account of ['a', 'b']) {
      const connection = connector.connect(mcp.url, { account })
      await connection.authorize()
      jkts.add(Object(decodeJwt((await connection.token()).accessToken).cnf).jkt)
    }
    expect(jkts.size).toBe(2)
    expect(await keys.ids()).toHaveLength(2)
  })
})
