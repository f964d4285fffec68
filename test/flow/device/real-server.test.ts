import {
  type ConnectorOptions,
  clientMetadataDocument,
  createConnector,
  dpop,
  memoryKeys,
  memoryStore,
} from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type Person, person, startAuthorizationServer, startMcpServer } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { type DevicePage, deviceAgent } from '../../support/device-agent.js'
import { hurriedClock } from '../../support/hurried-clock.js'
import { mcpClient } from '../../support/mcp-client.js'

const open = closing()

async function host(
  who: Person = person(),
  options: ConnectorOptions = {},
  metadataDocuments?: ReadonlyMap<string, string>,
) {
  const proofs = options.dpop !== undefined
  const authorizationServer = open(
    await startAuthorizationServer({
      devices: true,
      proofNonces: proofs,
      ...(metadataDocuments && { metadataDocuments }),
    }),
  )
  const bound = proofs && ({ dpop: 'required' } as const)
  const mcp = open(await startMcpServer({ authorizationServer, challengeScope: 'notes:read', ...bound }))
  const store = memoryStore()
  const pages: Promise<unknown>[] = []
  const userAgent = deviceAgent(async (page) => {
    const { verificationUri, userCode, verificationUriComplete } = page as DevicePage
    expect(verificationUriComplete).toContain(userCode)
    pages.push(who.enterCode(verificationUri, userCode))
    return 'shown'
  })
  // The server names no interval, so five seconds pass between polls.
  const clock = hurriedClock(5_000)
  const connector = open(
    createConnector({ appId: 'test', clientName: 'A device', store, userAgent, clock, ...options }),
  )
  return { authorizationServer, connection: connector.connect(mcp.url), pages }
}

describe('a sign-in by a code, at oidc-provider', () => {
  it('a request opens it, a person enters the code elsewhere, and the tools answer; the refresh works', async () => {
    const { authorizationServer, connection, pages } = await host()
    await using client = await mcpClient(connection)
    expect(await client.call('whoami')).toBe('alice (notes:read)')
    expect(await pages[0]).toMatchObject({ status: 200, body: expect.stringContaining('Sign-in Success') })
    await connection.token({ refresh: true })
    expect(await client.call('whoami')).toBe('alice (notes:read)')
    const grants = authorizationServer.requests.flatMap(({ grant_type }) => grant_type ?? [])
    expect(new Set(grants)).toEqual(new Set(['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token']))
    expect(authorizationServer.errors).toEqual([])
  })

  it('the person says no', async () => {
    const { connection, authorizationServer } = await host(person({ decision: 'deny' }))
    await expect(connection.authorize()).rejects.toMatchObject({ code: 'access_denied', step: 'poll' })
    expect(authorizationServer.errors).toEqual([])
  })

  it('as a client with a metadata document, which says that it signs in by codes', async () => {
    const url = 'https://agent.example/client.json'
    const redirectUris = ['http://127.0.0.1/callback']
    const document = clientMetadataDocument({ url, clientName: 'An agent', redirectUris, devices: true })
    const metadataDocuments = new Map([[url, JSON.stringify(document)]])
    const { connection, authorizationServer } = await host(
      person(),
      { client: { metadataUrl: url } },
      metadataDocuments,
    )
    expect((await connection.authorize()).status).toBe('signed_in')
    expect(authorizationServer.requests.map(({ path }) => path)).not.toContain('/reg')
    expect(authorizationServer.errors).toEqual([])
  })

  it('the tokens are bound to a key where the resource wants that', async () => {
    const { connection, authorizationServer } = await host(person(), { dpop: dpop(), keys: memoryKeys() })
    await using client = await mcpClient(connection)
    expect(await client.call('whoami')).toBe('alice (notes:read)')
    expect(await connection.token()).toMatchObject({ tokenType: 'DPoP' })
    expect(authorizationServer.errors).toEqual([])
  })

  it('a client that the server forgets while the code is shown is registered again', async () => {
    const who = person()
    let visits = 0
    const distracted: Person = {
      ...who,
      enterCode: async (uri, code) => {
        if (++visits > 1) return who.enterCode(uri, code)
        authorizationServer.forgetClients()
        return { status: 0, body: '', url: uri }
      },
    }
    const { connection, authorizationServer, pages } = await host(distracted)
    expect((await connection.authorize()).status).toBe('signed_in')
    expect(pages).toHaveLength(2)
  })
})
