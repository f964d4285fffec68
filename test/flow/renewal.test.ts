import { type Connection, createConnector, memoryStore } from '@countersign/node'
import { beforeEach, describe, expect, it } from 'vitest'
import { person, plainClient } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { mcpClient } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { soon } from '../support/soon.js'
import { recordIn } from '../support/stored.js'
import { type Browser, scriptedAgent } from '../support/watched-agent.js'

const browser: Browser = async (url) => new URL(await person().authorizationResponse(url)).searchParams

describe('renewing tokens, on a real authorization server that rotates them and detects reuse', {
  tags: ['mcp-2025-03-26/token-rotation', 'rfc6749/refresh-replaced'],
}, () => {
  const servers = realServers({})
  const open = closing()
  const seen = collector()
  beforeEach(() => seen.clear())

  /** A connection that has signed in, with all that a test needs to look behind it. */
  async function signedIn() {
    const clock = shiftedClock()
    const store = memoryStore(() => clock.now())
    const agent = scriptedAgent({ browser })
    const connector = open(createConnector({ appId: 'test', store, clock, userAgent: agent, log: seen.log }))
    const connection = connector.connect(servers.mcp.url)
    await connection.authorize()
    servers.as.clearRequests()
    return { connection, connector, clock, store, agent }
  }

  const tools = (client: Awaited<ReturnType<typeof mcpClient>>, many: number): Promise<string[]> =>
    Promise.all(Array.from({ length: many }, () => client.call('whoami')))

  it.each([5, 50])('%i parallel calls with an expired token cause one refresh and no failure', async (many) => {
    const { connection, clock, agent } = await signedIn()
    const client = open(await mcpClient(connection))
    for (let round = 1; round <= 2; round++) {
      clock.forward(400_000)
      expect(new Set(await tools(client, many))).toEqual(new Set(['alice (notes:read notes:write)']))
      expect(servers.grants).toEqual(Array(round).fill('refresh_token'))
    }
    expect(agent.begun).toBe(1)
  })

  it.each([5, 50])(
    '%i parallel calls that the server answers with 401 cause one refresh and no failure',
    async (many) => {
      const { connection, agent } = await signedIn()
      const client = open(await mcpClient(connection))
      const { accessToken } = await connection.token()
      servers.mcp.rejects = ({ jti }) => jti === claimsOf(accessToken).jti
      expect(new Set(await tools(client, many))).toEqual(new Set(['alice (notes:read notes:write)']))
      expect(servers.grants).toEqual(['refresh_token'])
      expect(agent.begun).toBe(1)
    },
  )

  it('a slow refresh is waited for by everybody who needs it', async () => {
    const { connection, clock } = await signedIn()
    servers.as.tokenEndpoint.delayMs = 100
    clock.forward(400_000)
    const first = connection.token()
    await soon(() => servers.grants.length).toBe(1)
    const second = connection.token()
    expect(connection.getSnapshot().refreshing).toBe(true)
    expect((await second).accessToken).toBe((await first).accessToken)
    expect(connection.getSnapshot().refreshing).toBe(false)
    expect(servers.grants).toEqual(['refresh_token'])
  })

  it('token({ refresh: true }) renews a token that is still good; the old refresh token is used up', async () => {
    const { connection, store } = await signedIn()
    const before = await connection.token()
    const { granted: old } = (await recordIn(store, 'grant')) as Stored
    const after = await connection.token({ refresh: true })
    expect(after.accessToken).not.toBe(before.accessToken)
    expect(await connection.token()).toEqual(after)
    expect(servers.grants).toEqual(['refresh_token'])

    const { granted } = (await recordIn(store, 'grant')) as Stored
    expect(granted.tokens.refresh_token).not.toBe(old.tokens.refresh_token)
  })

  it('a server that ends the login is believed: the next request says that a person is needed, and sends nothing', async () => {
    const { connector, store, clock } = await signedIn()
    const explicit = open(createConnector({ appId: 'test', store, clock, interaction: 'explicit', log: seen.log }))
    const connection = explicit.connect(servers.mcp.url)
    await revokeBehind(connection, store)
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { reason: 'login_ended', scope: 'notes:read notes:write offline_access' },
    })
    expect(seen.types).toContain('spent')
    servers.as.clearRequests()
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(servers.as.requests).toEqual([])
    void connector
  })

  it('an answer that is lost after the commit: asked once more at once, then the reuse is said to be a lost rotation', async () => {
    const { connection, agent } = await signedIn()
    let lost = 0
    servers.as.tokenEndpoint.intercept = () => (lost++ === 0 ? 'lose' : undefined)
    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(servers.grants).toEqual(['refresh_token', 'refresh_token'])
    expect(seen.types.slice(-1)).toEqual(['rotation_lost'])
    expect(agent.begun).toBe(1)
  })

  it('an answer that is cut before the server sees the request costs nothing', async () => {
    const { connection } = await signedIn()
    let cut = 0
    servers.as.tokenEndpoint.intercept = () => (cut++ === 0 ? { destroy: true } : undefined)
    await expect(connection.token({ refresh: true })).resolves.toMatchObject({ tokenType: 'Bearer' })
    expect(servers.grants).toEqual(['refresh_token', 'refresh_token'])
  })

  it('another process has renewed: its tokens are adopted, and nothing is sent', async () => {
    const { connection, store, clock } = await signedIn()
    const other = open(createConnector({ appId: 'test', store, clock, interaction: 'never' }))
    await connection.token()
    const theirs = await other.connect(servers.mcp.url).token({ refresh: true })
    servers.as.clearRequests()
    clock.forward(400_000 - 300_000 - 50_000)
    servers.mcp.rejects = undefined
    const { accessToken } = await connection.token({ refresh: true })
    expect(accessToken).toBe(theirs.accessToken)
    expect(servers.as.requests).toEqual([])
    expect(seen.types).toContain('adopted')
  })

  async function revokeBehind(connection: Connection, store: Parameters<typeof recordIn>[0]): Promise<void> {
    await connection.token()
    const { granted } = (await recordIn(store, 'grant')) as Stored
    const { client, tokens } = granted
    const plain = await plainClient(servers.as.issuer, { clientId: client.client_id })
    expect(await plain.revoke(tokens.refresh_token)).toMatchObject({ status: 200 })
    servers.as.clearRequests()
  }
})

interface Stored {
  readonly granted: {
    readonly client: { readonly client_id: string }
    readonly tokens: { readonly refresh_token: string; readonly access_token: string }
  }
}

const claimsOf = (jwt: string): { readonly jti?: string } =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'))
