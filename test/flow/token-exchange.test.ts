import {
  type ConnectorOptions,
  clientCredentials,
  createConnector,
  memoryStore,
  staticToken,
  tokenExchange,
} from '@countersign/core'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { person, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { realServers } from '../support/real-servers.js'
import { storedText } from '../support/stored.js'
import { scriptedAgent } from '../support/watched-agent.js'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

describe('a token for somebody else, at a real server (RFC 8693)', () => {
  const clientId = 'the-agent'
  const client = {
    client_id: clientId,
    token_endpoint_auth_method: 'none' as const,
    application_type: 'native' as const,
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
  }
  const servers = realServers({ as: { clients: [client] } })
  const open = closing()

  async function signedIn(options: ConnectorOptions = {}) {
    const alice = person({ login: 'alice' })
    const userAgent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const registered = { issuer: servers.as.issuer, clientId }
    const store = memoryStore()
    const all = { userAgent, client: { registered }, tokenExchange: tokenExchange(), store, ...options }
    const connection = open(createConnector(all)).connect(servers.mcp.url)
    await connection.authorize()
    return { connection, store }
  }

  it('is for the same person and server, with less scope', async () => {
    const { connection } = await signedIn()
    const own = await connection.token()
    const { accessToken, scope, expiresAt = 0 } = await connection.exchange({ scope: 'notes:read' })
    expect(decodeJwt(accessToken)).toMatchObject({ sub: 'alice', aud: servers.mcp.url, scope: 'notes:read' })
    expect(scope).toBe('notes:read')
    expect(expiresAt).toBeGreaterThan(Date.now())
    expect(decodeJwt(own.accessToken).scope).toBe('notes:read notes:write')
  })

  it('can be for another resource', async () => {
    const { connection } = await signedIn()
    const resource = 'http://127.0.0.1:1/other'
    expect(decodeJwt((await connection.exchange({ resource })).accessToken).aud).toBe(resource)
  })

  it('is not stored, and changes nothing of the login', async () => {
    const { connection, store } = await signedIn()
    const before = connection.getSnapshot()
    const own = await connection.token()
    const { accessToken } = await connection.exchange({ scope: 'notes:read' })
    expect(await storedText(store)).not.toContain(accessToken)
    expect(connection.getSnapshot()).toBe(before)
    expect(await connection.token()).toEqual(own)
  })

  it('that would have more scope than the login is refused by the server', async () => {
    const { connection } = await signedIn({ scope: 'notes:read' })
    await expect(connection.exchange({ scope: 'notes:write' })).rejects.toMatchObject({
      code: 'token_request_rejected',
      step: 'token_exchange',
      oauth: { error: 'invalid_scope' },
    })
  })
})

describe('a token for somebody else', () => {
  const open = closing()

  async function scripted(options: ConnectorOptions = {}, answer: object = { issued_token_type: ACCESS_TOKEN }) {
    const server = open(await scriptedAuthorization())
    const exchanges: Record<string, string>[] = []
    server.routes.token = ({ body }) => {
      const form = Object.fromEntries(new URLSearchParams(body))
      if (form.grant_type === 'client_credentials') return { json: { access_token: 'own', token_type: 'Bearer' } }
      exchanges.push(form)
      return { json: { access_token: 'less', token_type: 'Bearer', ...answer } }
    }
    const credentials = clientCredentials({ issuer: server.issuer, clientId: 'c', clientSecret: 'the-secret' })
    const connector = open(createConnector({ credentials, tokenExchange: tokenExchange(), ...options }))
    return { server, exchanges, connection: connector.connect(server.url) }
  }

  it('carries the current token and this server as the resource', { tags: ['rfc8693/subject-token'] }, async () => {
    const { server, exchanges, connection } = await scripted()
    expect(await connection.exchange()).toEqual({ accessToken: 'less', tokenType: 'Bearer' })
    expect(exchanges).toEqual([
      {
        grant_type: TOKEN_EXCHANGE,
        subject_token: 'own',
        subject_token_type: ACCESS_TOKEN,
        requested_token_type: ACCESS_TOKEN,
        resource: server.url,
      },
    ])
  })

  it('with an audience names that alone', async () => {
    const { exchanges, connection } = await scripted()
    await connection.exchange({ audience: 'the sub-agent' })
    expect(exchanges[0]).toMatchObject({ audience: 'the sub-agent' })
    expect(exchanges[0]).not.toHaveProperty('resource')
  })

  it.each([{ issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, {}])(
    'that is said to be %j is refused',
    { tags: ['rfc8693/issued-type'] },
    async (answer) => {
      const { connection } = await scripted({}, answer)
      await expect(connection.exchange()).rejects.toMatchObject({ code: 'token_response_invalid' })
    },
  )

  it('comes in by tokenExchange(), which the error names', async () => {
    const server = open(await scriptedAuthorization())
    const connection = open(createConnector()).connect(server.url)
    await expect(connection.exchange()).rejects.toThrow(/tokenExchange: tokenExchange\(\)/)
  })

  it('is nothing that a static token could be exchanged for', async () => {
    const server = open(await scriptedAuthorization())
    const options = { credentials: staticToken('own'), tokenExchange: tokenExchange() }
    await expect(open(createConnector(options)).connect(server.url).exchange()).rejects.toMatchObject({
      code: 'options_invalid',
      received: 'static credentials',
    })
  })

  it('opens no login', async () => {
    const server = open(await scriptedAuthorization())
    const userAgent = scriptedAgent()
    const connection = open(createConnector({ userAgent, tokenExchange: tokenExchange() })).connect(server.url)
    await expect(connection.exchange()).rejects.toMatchObject({ code: 'interaction_required' })
    expect(userAgent.begun).toBe(0)
  })

  it('need not be waited for', async () => {
    const { server, connection } = await scripted()
    await connection.token()
    server.routes.token = () => new Promise(() => undefined)
    const gaveUp = new AbortController()
    const exchanged = connection.exchange({ signal: gaveUp.signal })
    gaveUp.abort()
    await expect(exchanged).rejects.toMatchObject({ code: 'request_aborted' })
  })
})
