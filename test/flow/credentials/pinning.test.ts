import {
  CountersignError,
  type Credentials,
  clientCredentials,
  createConnector,
  enterpriseManaged,
  trustDiscovered,
  workloadIdentity,
} from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { hearing } from '../../support/canaries.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { scriptedAgent } from '../../support/watched-agent.js'

const expected = 'https://as.example.com'
const secrets = { secret: 'canary-secret', assertion: 'canary-assertion', idToken: 'canary-id-token' }

type Issuer = string | typeof trustDiscovered
const ways: Readonly<Record<string, (issuer: Issuer, provider: string) => Credentials>> = {
  clientCredentials: (issuer) => clientCredentials({ issuer, clientId: 'c', clientSecret: secrets.secret }),
  workloadIdentity: (issuer) => workloadIdentity({ issuer, assertion: secrets.assertion }),
  enterpriseManaged: (issuer, provider) =>
    enterpriseManaged({
      issuer,
      clientId: 'c',
      clientSecret: secrets.secret,
      identityProvider: { issuer: provider, clientId: 'p' },
      idToken: secrets.idToken,
    }),
}

describe.each(Object.entries(ways))('%s belongs to one issuer', (_name, way) => {
  const open = closing()

  async function connect(issuer: Issuer, server?: ScriptedAuthorization) {
    const found = server ?? open(await scriptedAuthorization())
    const connection = open(createConnector({ credentials: way(issuer, found.issuer) })).connect(found.url)
    return { server: found, connection }
  }
  /** What went to the authorization server that was not expected. */
  const sentTo = ({ requests }: ScriptedAuthorization) =>
    requests.map(({ path }) => path).filter((path) => path !== '/mcp' && !path.includes('oauth-protected-resource'))

  it('a server whose discovery leads elsewhere gets nothing, not even a look at its metadata', async () => {
    const { server, connection } = await connect(expected)
    const error = await ping(connection).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'issuer_not_expected', expected, received: server.issuer })
    expect(CountersignError.is(error) && error.hint).toContain('correct issuer')
    expect(sentTo(server)).toEqual([])
    expect(server.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  })

  it('a document that names another issuer than the one that is listed is not used', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.serverMetadata = (_request, usual) => ({ json: { ...(usual().json as object), issuer: expected } })
    const { connection } = await connect(server.issuer, server)
    await expect(connection.token()).rejects.toMatchObject({ code: 'issuer_mismatch' })
    expect(sentTo(server)).not.toContain('/token')
  })

  it('an issuer that differs by its slash alone is still another: the error names both', async () => {
    const server = open(await scriptedAuthorization())
    const { connection } = await connect(`${server.issuer}/`, server)
    await expect(connection.token()).rejects.toMatchObject({
      code: 'issuer_not_expected',
      expected: `${server.issuer}/`,
      received: server.issuer,
    })
    expect(sentTo(server)).not.toContain('/token')
  })

  it('trustDiscovered is the named way out', async () => {
    const { server, connection } = await connect(trustDiscovered)
    await connection.token().catch(() => undefined)
    expect(sentTo(server)).toContain('/token')
  })

  it('no secret is in what is thrown, logged or shown, whatever the server says', async () => {
    const server = open(await scriptedAuthorization())
    server.routes.token = ({ body, headers }) => ({
      status: 400,
      json: { error: 'invalid_scope', error_description: `${decodeURIComponent(body)} ${headers.authorization}` },
    })
    const heard = hearing()
    const credentials = way(server.issuer, server.issuer)
    const connector = open(createConnector({ credentials, log: heard.log }))
    const connection = connector.connect(server.url)
    heard.watch(connection, connector)
    await heard.hear(ping(connection))
    await heard.hear(connection.token())
    expect(heard.heard.errors).toBe(2)
    expect(await heard.leaks(secrets)).toEqual([])
  })
})

describe('a client that was registered by hand for one issuer, and a server that moves', () => {
  const open = closing()

  it('gets nothing of what was registered: not the client, not its secret', async () => {
    const before = open(await scriptedAuthorization())
    const after = open(await scriptedAuthorization())
    before.routes.resourceMetadata = { json: { resource: before.url, authorization_servers: [after.issuer] } }
    const registered = { issuer: before.issuer, clientId: 'by-hand', clientSecret: secrets.secret }
    const connector = open(createConnector({ userAgent: scriptedAgent(), client: { registered, dynamic: false } }))
    await expect(connector.connect(before.url).authorize()).rejects.toMatchObject({ code: 'client_id_required' })
    expect(after.requests.map(({ path }) => path)).toEqual(['/.well-known/oauth-authorization-server'])
  })
})
