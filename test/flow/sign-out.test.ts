import { createConnector, memoryStore } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { person, plainClient } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { kindsIn, recordIn } from '../support/stored.js'
import { scriptedAgent } from '../support/watched-agent.js'

describe('signing out, on real servers', () => {
  const servers = realServers({})
  const open = closing()

  async function signedIn(more: { account?: string; interaction?: 'on-demand' } = {}) {
    const store = memoryStore()
    const seen = collector()
    const alice = person()
    const agent = scriptedAgent({
      browser: async (url) => new URL(await alice.authorizationResponse(url)).searchParams,
    })
    const connector = open(createConnector({ appId: 'test', store, userAgent: agent, log: seen.log }))
    const connection = connector.connect(servers.mcp.url, more)
    await connection.authorize()
    const { granted } = (await recordIn(store, 'grant')) as {
      granted: { client: { client_id: string }; tokens: { refresh_token: string; access_token: string } }
    }
    const plain = await plainClient(servers.as.issuer, {
      clientId: granted.client.client_id,
      resource: servers.mcp.resource,
    })
    servers.as.clearRequests()
    servers.mcp.clearRequests()
    return { connection, connector, store, seen, agent, plain, tokens: granted.tokens }
  }

  it('revokes the refresh token: presented again, it gets invalid_grant', async () => {
    const { connection, plain, tokens } = await signedIn()
    await connection.signOut()
    expect(await plain.refresh(tokens.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it('says that this server cannot revoke an access token, which then lives until it expires', async () => {
    const { connection, seen } = await signedIn()
    await connection.signOut()
    expect(seen.diagnostics).toEqual([
      {
        code: 'access_token_not_revoked',
        url: `${servers.as.issuer}/token/revocation`,
        expected: 'the access_token revoked',
        received: 'HTTP 400 unsupported_token_type: it lives until it expires',
      },
    ])
  })

  it('leaves a tombstone without tokens, and the registration for the next login', async () => {
    const { connection, store, tokens } = await signedIn()
    await connection.signOut()
    expect(await kindsIn(store)).toEqual(expect.arrayContaining(['discovery', 'grant', 'registration']))
    expect(await recordIn(store, 'grant')).toEqual({ phase: 'absent', turn: 2, got: 2 })
    for (const key of await store.keys('')) {
      expect(await store.get(key)).not.toContain(tokens.refresh_token)
      expect(await store.get(key)).not.toContain(tokens.access_token)
    }
  })

  it('forgets the registration too when it is told to', async () => {
    const { connection, store } = await signedIn()
    await connection.signOut({ forgetClient: true })
    expect(await kindsIn(store)).not.toContain('registration')
  })

  it('sends the next request bare, and its 401 becomes interaction_required; no login opens by itself', async () => {
    const { connection, agent } = await signedIn()
    await connection.signOut()
    for (let time = 1; time <= 2; time++) {
      await expect(ping(connection)).rejects.toMatchObject({
        code: 'interaction_required',
        interaction: { reason: 'no_login' },
      })
    }
    expect(servers.mcp.requests.map(({ bare, status }) => [bare, status])).toEqual([
      [true, 401],
      [true, 401],
    ])
    await expect(connection.token()).rejects.toMatchObject({ code: 'interaction_required' })
    expect(agent.begun).toBe(1)
  })

  it('lets authorize() sign in again, whatever the mode, and then requests go through', async () => {
    const { connection, agent } = await signedIn({ account: 'alice', interaction: 'on-demand' })
    await connection.signOut()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(await connection.authorize()).toMatchObject({ status: 'signed_in' })
    expect((await ping(connection)).status).not.toBe(401)
    expect(agent.begun).toBe(2)
    expect(servers.asked('/reg')).toBe(0)
  })

  it('keeps its word in another process, and after a restart', async () => {
    const { connection, store } = await signedIn()
    await connection.signOut()
    const agent = scriptedAgent()
    const later = open(createConnector({ appId: 'test', store, userAgent: agent })).connect(servers.mcp.url)
    await expect(ping(later)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(agent.begun).toBe(0)
  })

  it('succeeds where the server cannot revoke: what is left to say is a diagnostic', async () => {
    const { connection, seen, store } = await signedIn()
    await servers.as.close()
    await connection.signOut()
    expect(connection.getSnapshot().status).toBe('signed_out')
    expect(seen.diagnostics.map(({ code }) => code)).toEqual(['revocation_failed', 'revocation_failed'])
    expect(await recordIn(store, 'grant')).toMatchObject({ phase: 'absent', replaced: [{}] })
  })
})
