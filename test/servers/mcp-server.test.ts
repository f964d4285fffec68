import { setTimeout as delay } from 'node:timers/promises'
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  type McpServerUnderTest,
  person,
  plainClient,
  startAuthorizationServer,
  startMcpServer,
} from './index.js'

describe('the MCP server', () => {
  let authorizationServer: AuthorizationServer
  let server: McpServerUnderTest

  beforeAll(async () => {
    authorizationServer = await startAuthorizationServer()
    server = await startMcpServer({ authorizationServer })
  })
  afterAll(async () => {
    await Promise.all([server.close(), authorizationServer.close()])
    expect([...server.errors, ...authorizationServer.errors]).toEqual([])
  })

  const tokenFor = async (resource: string, scope?: string): Promise<string> => {
    const client = await plainClient(authorizationServer.issuer, { resource, ...(scope ? { scope } : {}) })
    return String((await client.signIn(person())).body.access_token)
  }

  it("lets the SDK's own client and OAuth in, and serves its tools", async () => {
    const provider = new InMemoryProvider()
    const connect = async (): Promise<[Client, StreamableHTTPClientTransport]> => {
      const transport = new StreamableHTTPClientTransport(new URL(server.url), { authProvider: provider })
      const client = new Client({ name: 'test', version: '1.0.0' })
      await client.connect(transport as Transport).catch(async (error: unknown) => {
        if (!(error instanceof UnauthorizedError)) throw error
        await transport.finishAuth(await provider.decided())
      })
      return [client, transport]
    }
    // The first transport ends with the redirect; the second one finds the tokens.
    await connect()
    const [client, transport] = await connect()
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual(['list_notes', 'add_note', 'whoami'])
    await client.callTool({ name: 'add_note', arguments: { text: 'Buy milk' } })
    expect(await client.callTool({ name: 'list_notes' })).toMatchObject({ content: [{ text: 'Buy milk' }] })
    expect(await client.callTool({ name: 'whoami' })).toMatchObject({
      content: [{ text: 'alice (notes:read notes:write)' }],
    })

    expect(transport.sessionId).toEqual(expect.any(String))
    expect(server.requests).toContainEqual(expect.objectContaining({ method: 'GET', path: '/mcp', status: 200 }))
    expect(server.requests).toContainEqual(
      expect.objectContaining({ rpc: 'tools/call', authorized: true, bare: false, status: 200 }),
    )
    await transport.terminateSession()
    await client.close()
  })

  it('challenges a request without a token, without an error', async () => {
    const response = await fetch(server.url, { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="${server.resourceMetadataUrl}"`)
    expect(await (await fetch(server.resourceMetadataUrl)).json()).toEqual({
      resource: server.resource,
      authorization_servers: [authorizationServer.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['notes:read', 'notes:write'],
    })
  })

  it.each([
    ['garbage', async () => 'garbage'],
    ['a token for another resource', () => tokenFor('http://127.0.0.1:3000/mcp')],
    ['a token with a changed claim', async () => tampered(await tokenFor(server.resource))],
  ])('refuses %s', async (_name, token) => {
    const response = await present(server, await token())
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="invalid_token", error_description="[^"]+", /,
    )
  })

  it('refuses a token of another authorization server with the same key', async () => {
    await using other = await startAuthorizationServer()
    const client = await plainClient(other.issuer, { resource: server.resource })
    const { body } = await client.signIn(person())
    expect((await present(server, String(body.access_token))).status).toBe(401)
  })

  it('refuses a token from the second in which it expires', async () => {
    await using quick = await startAuthorizationServer({ accessTokenTtlSeconds: 1 })
    await using mcp = await startMcpServer({ authorizationServer: { issuer: quick.issuer } })
    const client = await plainClient(quick.issuer, { resource: mcp.resource })
    const { body } = await client.signIn(person())
    // `exp` has whole seconds, so that a token of one second may die at once.
    await delay(1000)
    const expired = await present(mcp, String(body.access_token))
    expect(expired.headers.get('www-authenticate')).toContain("'exp' claim timestamp check failed")
    const again = await client.refresh(body.refresh_token)
    expect(again.status).toBe(200)
  })

  it('asks for the scope it requires', async () => {
    await using strict = await startMcpServer({ authorizationServer, requiredScope: 'notes:write' })
    const bare = await fetch(strict.url)
    expect(bare.headers.get('www-authenticate')).toMatch(/^Bearer resource_metadata="[^"]+", scope="notes:write"$/)
    const short = await present(strict, await tokenFor(strict.resource, 'notes:read'))
    expect(short.status).toBe(403)
    expect(short.headers.get('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", resource_metadata="${strict.resourceMetadataUrl}", scope="notes:write"`,
    )
    expect((await present(strict, await tokenFor(strict.resource, 'notes:write'))).status).toBe(200)
  })

  it('refuses good tokens when a test says so', async () => {
    const token = await tokenFor(server.resource)
    server.rejects = (claims) => claims.sub === 'alice'
    expect((await present(server, token)).status).toBe(401)
    server.rejects = undefined
    expect((await present(server, token)).status).toBe(200)
  })

  it.each([
    ['bare', 'Bearer'],
    ['none', null],
  ] as const)('can say less: %s', async (challenge, expected) => {
    await using quiet = await startMcpServer({ authorizationServer, challenge, metadataAt: 'root', path: '/v1/mcp' })
    expect((await fetch(quiet.url)).headers.get('www-authenticate')).toBe(expected)
    const { origin } = new URL(quiet.url)
    expect((await fetch(`${origin}/.well-known/oauth-protected-resource`)).status).toBe(200)
    expect((await fetch(`${origin}/.well-known/oauth-protected-resource/v1/mcp`)).status).toBe(404)
  })
})

/** Presents a token with a request that a server must answer 200, if it lets it in. */
function present(server: McpServerUnderTest, token: string): Promise<Response> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  return fetch(server.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
}

function tampered(token: string): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'mallory' }
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
}

/** What the SDK asks a host to implement, in memory, with a person at the other end. */
class InMemoryProvider implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:41999/callback'
  readonly clientMetadata = {
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  }
  readonly #who = person()
  #client: OAuthClientInformationMixed | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''
  #url = ''

  clientInformation = (): OAuthClientInformationMixed | undefined => this.#client
  saveClientInformation = (client: OAuthClientInformationMixed): void => {
    this.#client = client
  }
  tokens = (): OAuthTokens | undefined => this.#tokens
  saveTokens = (tokens: OAuthTokens): void => {
    this.#tokens = tokens
  }
  redirectToAuthorization = (url: URL): void => {
    this.#url = url.href
  }
  codeVerifier = (): string => this.#verifier
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier
  }
  decided = async (): Promise<string> =>
    String(new URL(await this.#who.authorizationResponse(this.#url)).searchParams.get('code'))
}
