import {
  type ClientNeed,
  type ClientOptions,
  type ConnectorOptions,
  clientMetadataDocument,
  createConnector,
  memoryStore,
  privateKeyJwt,
  trustDiscovered,
} from '@countersign/core'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { person, type ScriptableRequest, type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { realServers } from '../support/real-servers.js'
import { recordIn, storedText } from '../support/stored.js'
import { followRedirect, scriptedAgent, watched } from '../support/watched-agent.js'

const { privateKey, publicKey } = await generateKeyPair('ES256')
const jwks = { keys: [await exportJWK(publicKey)] }

describe('a client metadata document at a real server', () => {
  const url = 'https://agent.example/client.json'
  const withKey = 'https://agent.example/with-a-key.json'
  const about = { clientName: 'My agent', redirectUris: ['http://127.0.0.1/callback'] }
  const metadataDocuments = new Map([
    [url, JSON.stringify(clientMetadataDocument({ url, ...about }))],
    [withKey, JSON.stringify(clientMetadataDocument({ url: withKey, ...about, jwks }))],
  ])
  const servers = realServers({ as: { metadataDocuments } })
  const open = closing()

  const connect = (client: ClientOptions) => {
    const alice = person()
    const userAgent = scriptedAgent({
      browser: async (at) => new URL(await alice.authorizationResponse(at)).searchParams,
    })
    return open(createConnector({ userAgent, client })).connect(servers.mcp.url)
  }

  it('is all that a sign-in needs: nothing is registered', {
    tags: ['mcp-registration/metadata-documents'],
  }, async () => {
    const connection = connect({ metadataUrl: url })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect((await connection.explain()).grant).toMatchObject({ clientId: url, clientOrigin: 'metadata_document' })
    expect(servers.asked('/reg')).toBe(0)
    expect(await connection.token({ refresh: true })).toMatchObject({ tokenType: 'Bearer' })
  })

  it('may name a key instead of a secret', { tags: ['mcp-registration/document-private-key'] }, async () => {
    const registered = privateKeyJwt({ issuer: servers.as.issuer, clientId: withKey, privateKey })
    expect(await connect({ registered }).authorize()).toMatchObject({ status: 'signed_in' })
    expect(servers.asked('/reg')).toBe(0)
  })
})

describe('a registration that is refused for its redirect URIs', () => {
  const open = closing()
  const several = () =>
    watched({
      onDemand: true,
      begin: () => ({
        way: async () => ({
          kind: 'redirect',
          redirectUri: 'http://127.0.0.1:1001/callback',
          alternatives: ['http://127.0.0.1:1002/callback'],
        }),
        present: async (page) => (page.kind === 'redirect' ? followRedirect(page.authorizationUrl) : 'shown'),
        end: async () => undefined,
      }),
    })

  async function connect(refuse: (metadata: Metadata) => boolean, error = 'invalid_redirect_uri', agent = several()) {
    const server = open(await scriptedAuthorization())
    const asked: Metadata[] = []
    server.routes.register = ({ body }, usual) => {
      const metadata: Metadata = JSON.parse(body)
      asked.push(metadata)
      return refuse(metadata) ? { status: 400, json: { error, error_description: 'not these' } } : usual()
    }
    const seen = collector()
    const store = memoryStore()
    const connector = open(createConnector({ userAgent: agent, log: seen.log, store }))
    return { server, asked, seen, store, connection: connector.connect(server.url) }
  }
  interface Metadata {
    readonly redirect_uris: readonly string[]
    readonly application_type: string
  }

  it('is tried once more with the one of this login alone', {
    tags: ['mcp-registration/registration-adjusted', 'mcp-registration/refused-registration'],
  }, async () => {
    const { asked, seen, store, connection } = await connect(({ redirect_uris }) => redirect_uris.length > 1)
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(asked.map(({ redirect_uris }) => redirect_uris.length)).toEqual([2, 1])
    expect(seen.diagnostics).toMatchObject([
      { code: 'registration_adjusted', received: expect.stringContaining('not these') },
    ])
    expect(await recordIn(store, 'registration')).toMatchObject({ redirect_uris: ['http://127.0.0.1:1001/callback'] })
  })

  it('is tried once more as the other application_type, where the URI was alone', {
    tags: ['mcp-registration/registration-adjusted'],
  }, async () => {
    const refuse = ({ application_type }: Metadata) => application_type === 'native'
    const { asked, connection } = await connect(refuse, 'invalid_client_metadata', scriptedAgent())
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect(asked.map(({ application_type }) => application_type)).toEqual(['native', 'web'])
  })

  it('twice ends with what was asked and what the server said', {
    tags: ['mcp-registration/refusal-explained'],
  }, async () => {
    const { asked, connection } = await connect(() => true)
    await expect(connection.authorize()).rejects.toMatchObject({
      code: 'registration_rejected',
      expected: 'http://127.0.0.1:1001/callback as a native application',
      oauth: { error: 'invalid_redirect_uri', error_description: 'not these' },
    })
    expect(asked).toHaveLength(2)
  })

  it('for any other reason is not tried again', async () => {
    const { asked, connection } = await connect(() => true, 'access_denied')
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'registration_rejected' })
    expect(asked).toHaveLength(1)
  })

  it('registers again where another port is bound than the one that was taken', async () => {
    const { asked, store, server, connection } = await connect(({ redirect_uris }) => redirect_uris.length > 1)
    await connection.authorize()
    const agent = watched({
      ...several(),
      begin: (request) => ({
        ...several().begin(request),
        way: async () => ({
          kind: 'redirect',
          redirectUri: 'http://127.0.0.1:1002/callback',
          alternatives: ['http://127.0.0.1:1001/callback'],
        }),
      }),
    })
    await open(createConnector({ userAgent: agent, store }))
      .connect(server.url)
      .authorize({ force: true })
    expect(asked.at(-1)?.redirect_uris).toEqual(['http://127.0.0.1:1002/callback'])
  })
})

describe('a client that a person is asked for', () => {
  const open = closing()
  const secret = 'what the person has typed'

  async function connect(ask: ClientOptions['ask'], more: ConnectorOptions = {}, found?: ScriptedAuthorization) {
    const server = found ?? open(await scriptedAuthorization())
    server.routes.serverMetadata = (_request, usual) => ({
      json: {
        ...(usual().json as object),
        registration_endpoint: undefined,
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      },
    })
    const store = memoryStore()
    const connector = open(createConnector({ userAgent: scriptedAgent(), client: { ask: ask! }, store, ...more }))
    const posted = (): readonly ScriptableRequest[] => server.requests.filter(({ path }) => path === '/token')
    return { server, store, posted, connection: connector.connect(server.url) }
  }

  it('is used where the server registers nobody, and its secret is in no record', {
    tags: ['mcp-registration/ask-a-person', 'mcp-registration/priority'],
  }, async () => {
    const needs: ClientNeed[] = []
    const { server, store, posted, connection } = await connect(async (need) => {
      needs.push(need)
      return { issuer: need.issuer, clientId: 'typed', clientSecret: secret }
    })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    await connection.token({ refresh: true })
    expect(needs).toEqual([{ url: server.url, issuer: server.issuer, redirectUri: 'http://127.0.0.1:1/callback' }])
    for (const { headers } of posted()) expect(headers.authorization).toMatch(/^Basic /)
    expect(await storedText(store)).not.toContain(secret)
  })

  it('is asked for again by another process, which has the login and not the secret', async () => {
    let asked = 0
    const ask: ClientOptions['ask'] = async ({ issuer }) => {
      asked++
      return { issuer, clientId: 'typed', clientSecret: secret }
    }
    const { server, store, connection } = await connect(ask)
    await connection.authorize()
    const another = await connect(ask, { store }, server)
    expect(await another.connection.token({ refresh: true })).toMatchObject({ tokenType: 'Bearer' })
    expect(asked).toBe(2)
  })

  it('without a secret is asked for once, by whichever process', async () => {
    let asked = 0
    const ask: ClientOptions['ask'] = async () => {
      asked++
      return { issuer: trustDiscovered, clientId: 'typed' }
    }
    const { server, store, connection } = await connect(ask)
    await connection.authorize()
    await (await connect(ask, { store }, server)).connection.token({ refresh: true })
    expect(asked).toBe(1)
  })

  it('is asked for where the registration is refused, too', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.register = { status: 403, json: { error: 'access_denied' } }
    const ask: ClientOptions['ask'] = async ({ issuer }) => ({ issuer, clientId: 'typed' })
    const connector = open(createConnector({ userAgent: scriptedAgent(), client: { ask } }))
    expect(await connector.connect(server.url).authorize()).toMatchObject({ status: 'signed_in' })
  })

  it('is not asked for where a server is merely busy', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.register = { status: 503 }
    const connector = open(createConnector({ userAgent: scriptedAgent(), client: { ask: () => expect.fail('asked') } }))
    await expect(connector.connect(server.url).authorize()).rejects.toMatchObject({ code: 'server_unavailable' })
  })

  it.each<[string, ClientOptions['ask'], object]>([
    ['there is none', async () => undefined, { code: 'client_id_required' }],
    [
      'it is one for another issuer',
      async () => ({ issuer: 'https://as.example', clientId: 'typed', clientSecret: secret }),
      { code: 'options_invalid', received: 'one for https://as.example' },
    ],
    ['asking fails', () => Promise.reject(new TypeError('closed')), { code: 'options_invalid' }],
  ])('%s: the login ends with the reason, and nothing is sent', async (_name, ask, error) => {
    const { posted, connection } = await connect(ask)
    await expect(connection.authorize()).rejects.toMatchObject(error)
    expect(posted()).toEqual([])
  })

  it('is given up with the login', async () => {
    const gaveUp = new AbortController()
    const { connection } = await connect(() => {
      gaveUp.abort()
      return new Promise(() => undefined)
    })
    await expect(connection.authorize({ signal: gaveUp.signal })).rejects.toMatchObject({ code: 'request_aborted' })
    await expect.poll(() => connection.getSnapshot().error?.code).toBe('login_cancelled')
  })
})
