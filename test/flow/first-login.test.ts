import { createConnector, loopback, memoryStore } from '@countersign/node'
import { describe, expect, it } from 'vitest'
import { person, startAuthorizationServer, startMcpServer } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { mcpClient } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { watched } from '../support/watched-agent.js'

const appId = 'com.example.test'

describe('the first sign-in, on a real authorization server and a real MCP server', () => {
  const servers = realServers({})
  const open = closing()

  it('takes an MCP client from the challenge to a tool call, a refresh, and the sign-out', {
    tags: [
      'mcp/http-transports',
      'mcp/use-resource-metadata',
      'mcp/both-metadata',
      'mcp-discovery/header-first',
      'mcp-2025-06-18/oauth-metadata',
      'rfc9728/get',
      'rfc8414/get',
      'rfc8252/port-open-briefly',
    ],
  }, async () => {
    const seen = collector()
    const agent = watched(loopback({ open: person({ login: 'alice' }).open }))
    const clock = shiftedClock()
    const options = { appId, store: memoryStore(), clientName: 'Test agent', userAgent: agent, clock, log: seen.log }
    const connector = open(createConnector(options))
    const notes = connector.connect(servers.mcp.url)

    const client = open(await mcpClient(notes))
    expect(await client.call('whoami')).toBe('alice (notes:read notes:write)')
    expect(seen.exchanges).toEqual([
      'discover GET /.well-known/oauth-protected-resource/mcp 200',
      'discover GET /.well-known/oauth-authorization-server 200',
      'register POST /reg 201',
      'exchange POST /token 200',
    ])
    expect(seen.types).toEqual(['login_started', 'login_waiting', 'login_completed'])
    expect(agent.ends).toEqual([{ ok: true }])
    expect(await agent.listening()).toEqual([])
    seen.clear()

    const before = await notes.token()
    clock.forward((before.expiresAt ?? 0) - clock.now())
    expect(await client.call('add_note', { text: 'Buy milk' })).toBe('Added: Buy milk')
    expect((await notes.token()).accessToken).not.toBe(before.accessToken)
    expect(seen.exchanges).toEqual(['refresh POST /token 200'])
    expect(agent.begun).toBe(1)
    seen.clear()

    await notes.signOut()
    expect(notes.getSnapshot()).toEqual({ status: 'signed_out', refreshing: false })
    expect(seen.exchanges).toEqual(['revoke POST /token/revocation 200', 'revoke POST /token/revocation 400'])
    expect(seen.diagnostics).toMatchObject([{ code: 'access_token_not_revoked' }])

    await expect(client.call('list_notes')).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { url: notes.url, reason: 'no_login' },
    })
    expect(agent.begun).toBe(1)
  })

  it('tells the person how it went, on the page that the browser ends on', async () => {
    const pages: Promise<{ status: number; body: string }>[] = []
    const visit = (who: ReturnType<typeof person>) => (url: string) => {
      const page = who.open(url)
      pages.push(page)
      return page
    }
    const good = open(createConnector({ appId, store: memoryStore(), userAgent: loopback({ open: visit(person()) }) }))
    await good.connect(servers.mcp.url).authorize()
    const bad = open(
      createConnector({
        appId,
        store: memoryStore(),
        userAgent: loopback({ open: visit(person({ decision: 'deny' })) }),
      }),
    )
    await expect(bad.connect(servers.mcp.url).authorize()).rejects.toMatchObject({ code: 'access_denied' })
    expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([200, 400])
  })

  it('is not shown to a person who has signed in before, but asks the server again when told to', async () => {
    const agent = watched(loopback({ open: person().open }))
    const notes = open(createConnector({ appId, store: memoryStore(), userAgent: agent })).connect(servers.mcp.url)
    const first = await notes.authorize()
    expect(first).toMatchObject({ status: 'signed_in', scope: 'notes:read notes:write' })
    expect(await notes.authorize()).toBe(first)
    expect(await notes.authorize({ scope: 'notes:read' })).toBe(first)
    expect(agent.begun).toBe(1)
    await notes.authorize({ force: true })
    expect(agent.begun).toBe(2)
  })

  it('works where the server says nothing but 401', {
    tags: ['mcp-discovery/well-known-order', 'mcp-discovery/parse-challenge'],
  }, async () => {
    const mcp = open(await startMcpServer({ authorizationServer: servers.as, challenge: 'none', metadataAt: 'root' }))
    const seen = collector()
    const notes = open(
      createConnector({ appId, store: memoryStore(), userAgent: loopback({ open: person().open }), log: seen.log }),
    ).connect(mcp.url)
    const client = open(await mcpClient(notes))
    expect(await client.call('whoami')).toContain('alice')
    expect(seen.exchanges.slice(0, 3)).toEqual([
      'discover GET /.well-known/oauth-protected-resource/mcp 404',
      'discover GET /.well-known/oauth-protected-resource 200',
      'discover GET /.well-known/oauth-authorization-server 200',
    ])
    expect(seen.diagnostics).toMatchObject([{ code: 'challenge_missing' }])
  })

  it('finds an authorization server that only publishes OpenID metadata', {
    tags: ['mcp/both-metadata', 'mcp-discovery/several-endpoints'],
  }, async () => {
    const as = open(await startAuthorizationServer({ metadata: 'openid' }))
    const mcp = open(await startMcpServer({ authorizationServer: as }))
    const notes = open(
      createConnector({ appId, store: memoryStore(), userAgent: loopback({ open: person().open }) }),
    ).connect(mcp.url)
    expect(await notes.authorize()).toMatchObject({ status: 'signed_in' })
  })
})
