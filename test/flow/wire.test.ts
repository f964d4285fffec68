import { createHash } from 'node:crypto'
import { createConnector, loopback, memoryStore } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { person, type TokenRequest } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { mcpClient, ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { recordingFetch } from '../support/sent.js'

const appId = 'com.example.test'
const ports = [18_111, 18_112, 18_113, 18_114]
const row = ports.map((port) => `http://127.0.0.1:${port}/callback`)

describe('what reaches the servers', () => {
  const servers = realServers({})
  const open = closing()

  /** A login and a refresh, and all that left. */
  async function signIn(options: Partial<Parameters<typeof createConnector>[0]> = {}) {
    const { as, mcp } = servers
    const oauth = recordingFetch()
    const resource = recordingFetch()
    const tokenRequests: TokenRequest[] = []
    const urls: URL[] = []
    as.tokenEndpoint.intercept = (request) => {
      tokenRequests.push(request)
      return undefined
    }
    const alice = person()
    const userAgent = loopback({
      ports,
      open: (url) => {
        urls.push(new URL(url))
        return alice.open(url)
      },
    })
    const connector = open(
      createConnector({
        appId,
        store: memoryStore(),
        userAgent,
        fetch: resource.fetch,
        oauthFetch: oauth.fetch,
        ...options,
      }),
    )
    const connection = connector.connect(mcp.url)
    await connection.authorize()
    await connection.token({ refresh: true })
    const [exchange, refresh] = tokenRequests
    const registration = oauth.sent.find(({ url }) => url.pathname === '/reg')
    expect([registration?.method, registration?.headers.get('content-type')]).toEqual(['POST', 'application/json'])
    return {
      connection,
      authorization: urls[0]?.searchParams ?? new URLSearchParams(),
      exchange: exchange?.parameters ?? new URLSearchParams(),
      refresh: refresh?.parameters ?? new URLSearchParams(),
      registration: JSON.parse(registration?.body ?? '{}'),
      oauth: oauth.sent,
      resource: resource.sent,
    }
  }

  it('PKCE with S256: the challenge is the digest of the verifier, which is sent once and only there (RFC 7636)', {
    tags: ['mcp-security/pkce', 'mcp-security/s256', 'rfc7636/verifier', 'rfc7636/verifier-sent', 'rfc8252/pkce'],
  }, async () => {
    const { authorization, exchange, refresh } = await signIn()
    expect(authorization.get('code_challenge_method')).toBe('S256')
    const verifier = exchange.get('code_verifier') ?? ''
    expect(verifier).toMatch(/^[\w-]{43,128}$/)
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(authorization.get('code_challenge'))
    expect(refresh.has('code_verifier')).toBe(false)
  })

  it('the same resource on the authorization, the token and the refresh request (RFC 8707)', {
    tags: [
      'mcp/resource-in-requests',
      'mcp/resource-is-the-server',
      'mcp/resource-always',
      'rfc8707/refresh',
      'rfc9728/audience-restricted',
    ],
  }, async () => {
    const { authorization, exchange, refresh } = await signIn()
    const { resource } = servers.mcp
    expect([authorization, exchange, refresh].map((sent) => sent.getAll('resource'))).toEqual([
      [resource],
      [resource],
      [resource],
    ])
  })

  it('nothing but what the protocol names', {
    tags: [
      'rfc6749/parameters-once',
      'rfc6749/refresh-scope',
      'rfc6749/client-authenticated',
      'rfc6749/token-post',
      'rfc6749/secret-not-in-url',
    ],
  }, async () => {
    const { authorization, exchange, refresh, oauth } = await signIn()
    const names = (sent: URLSearchParams): string => [...sent.keys()].sort().join(' ')
    expect(names(authorization)).toBe(
      'client_id code_challenge code_challenge_method redirect_uri resource response_type scope state',
    )
    expect(names(exchange)).toBe('client_id code code_verifier grant_type redirect_uri resource')
    expect(names(refresh)).toBe('client_id grant_type refresh_token resource')
    const posted = oauth.filter(({ url }) => url.pathname === '/token')
    expect(posted.map(({ method, url }) => `${method} ${url.search}`)).toEqual(['POST ', 'POST '])
  })

  it('a state of at least 128 bits, another one for every login', {
    tags: [
      'mcp-security/state',
      'rfc6749/csrf',
      'rfc6749/state-unguessable',
      'rfc8252/state-checked',
      'rfc7636/verifier',
    ],
  }, async () => {
    const [one, two] = [await signIn(), await signIn()].map(({ authorization }) => authorization)
    expect(one?.get('state')).toMatch(/^[\w-]{22,}$/)
    for (const name of ['state', 'code_challenge']) expect(two?.get(name)).not.toBe(one?.get(name))
  })

  it('the redirect URI of the authorization request again in the token request (RFC 6749 section 4.1.3)', {
    tags: ['rfc6749/redirect-uri-again', 'rfc8252/loopback-literal', 'mcp-security/redirect-uris-registered'],
  }, async () => {
    const { authorization, exchange } = await signIn()
    expect(exchange.get('redirect_uri')).toBe(authorization.get('redirect_uri'))
    expect(row).toContain(authorization.get('redirect_uri'))
  })

  it('a registration that says what the client is: native, with refresh tokens, scope and the row of ports (RFC 7591)', {
    tags: [
      'mcp-registration/application-type',
      'mcp-registration/application-type-native',
      'mcp/refresh-grant-type',
      'mcp-registration/dynamic',
      'mcp-2025-06-18/dynamic',
      'mcp-security/redirect-uris-registered',
      'rfc7591/redirect-uris',
      'rfc7591/json-post',
    ],
  }, async () => {
    const { registration } = await signIn({ clientName: 'Notes agent', clientUri: 'https://agent.example' })
    expect(registration).toEqual({
      client_name: 'Notes agent',
      client_uri: 'https://agent.example',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      redirect_uris: row,
      scope: 'notes:read notes:write offline_access',
    })
  })

  it('the scopes that the resource lists, with offline_access where the authorization server lists it', {
    tags: ['mcp/scope-order', 'mcp/offline-access'],
  }, async () => {
    const { authorization } = await signIn()
    expect(authorization.get('scope')).toBe('notes:read notes:write offline_access')
    expect((await signIn({ offlineAccess: false })).authorization.get('scope')).toBe('notes:read notes:write')
  })

  it('the scope that the host has pinned, and no other', { tags: 'mcp/least-privilege' }, async () => {
    const { authorization, registration } = await signIn({ scope: 'notes:read' })
    expect(authorization.get('scope')).toBe('notes:read')
    expect(registration.scope).toBe('notes:read')
  })

  it('the token in the Authorization header, of every request to the server', {
    tags: [
      'mcp/authorization-header',
      'mcp/every-request',
      'mcp/token-not-in-query',
      'mcp-2025-11-25/every-request-of-a-session',
      'rfc6750/one-way',
      'rfc6750/not-in-urls',
      'rfc6750/not-in-cookies',
    ],
  }, async () => {
    const { connection, resource } = await signIn()
    const client = open(await mcpClient(connection))
    await client.call('whoami')
    const { accessToken } = await connection.token()
    expect(resource.length).toBeGreaterThanOrEqual(3)
    expect(new Set(resource.map(({ headers }) => headers.get('authorization')))).toEqual(
      new Set([`Bearer ${accessToken}`]),
    )
    for (const { url, body, headers } of resource) {
      expect(`${url} ${body} ${headers.get('cookie')}`).not.toContain(accessToken)
    }
    expect(servers.mcp.requests.filter(({ path }) => path === '/mcp').every(({ authorized }) => authorized)).toBe(true)
  })

  it('no token to the authorization server, and no cookie or header of the host', {
    tags: 'rfc6750/safeguarded',
  }, async () => {
    const { connection, oauth } = await signIn()
    await ping(connection, { headers: { 'x-api-key': 'of the host', cookie: 'a=1' } })
    for (const { headers } of oauth) {
      expect([...headers.keys()].filter((name) => name !== 'accept' && name !== 'content-type')).toEqual([])
    }
  })

  it('the server and its authorization server: nobody else is asked anything', async () => {
    const { oauth, resource } = await signIn()
    const origins = new Set([...oauth, ...resource].map(({ url }) => url.origin))
    expect(origins).toEqual(new Set([servers.as.issuer, new URL(servers.mcp.url).origin]))
  })
})
