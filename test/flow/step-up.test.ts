import { type ConnectorOptions, createConnector } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { person } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { scriptedAgent } from '../support/watched-agent.js'

describe('a server that asks for more scope (403 insufficient_scope)', () => {
  const servers = realServers({ mcp: { requiredScope: 'notes:write', challengeScope: 'notes:read' } })
  const open = closing()

  /** A connection whose first login covers `notes:read` alone. */
  function connect(options: ConnectorOptions = {}) {
    const alice = person()
    const urls: URL[] = []
    const agent = scriptedAgent({
      browser: async (url) => {
        urls.push(new URL(url))
        return new URL(await alice.authorizationResponse(url)).searchParams
      },
    })
    const connector = open(createConnector({ userAgent: agent, offlineAccess: false, ...options }))
    const connection = connector.connect(servers.mcp.url)
    const asked = (): readonly (string | null)[] => urls.map((url) => url.searchParams.get('scope'))
    return { connection, agent, alice, asked }
  }

  it('gets it in a second login, for both scopes: one page for one request', {
    tags: [
      'mcp/step-up',
      'mcp/step-up-for-a-person',
      'mcp/keep-granted-scope',
      'mcp-practices/scope-union',
      'mcp/challenge-scope',
    ],
  }, async () => {
    const { connection, agent, asked } = connect()
    await connection.authorize({ scope: 'notes:read' })
    expect((await ping(connection)).status).not.toBe(403)
    expect(asked()).toEqual(['notes:read', 'notes:read notes:write'])
    expect(connection.getSnapshot()).toMatchObject({ status: 'signed_in', scope: 'notes:read notes:write' })
    expect(agent.begun).toBe(2)
  })

  it('in the same request as the first login: no second page, an error that says what is missing', {
    tags: 'mcp/retry-limits',
  }, async () => {
    const { connection, agent } = connect()
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'interaction_required',
      interaction: { reason: 'more_scope', scope: 'notes:read notes:write' },
    })
    expect(agent.begun).toBe(1)
    expect((await ping(connection)).status).not.toBe(403)
    expect(agent.begun).toBe(2)
  })

  it('parallel requests share the page', async () => {
    const { connection, agent } = connect()
    await connection.authorize({ scope: 'notes:read' })
    const answers = await Promise.all([1, 2, 3].map(() => ping(connection)))
    expect(answers.map(({ status }) => status)).not.toContain(403)
    expect(agent.begun).toBe(2)
  })

  it('the host may refuse: it is asked once, and the request ends in an error', {
    tags: ['mcp/track-step-ups', 'mcp/step-up'],
  }, async () => {
    const asked: unknown[] = []
    const onStepUp = (request: unknown): boolean => {
      asked.push(request)
      return false
    }
    const { connection, agent } = connect({ onStepUp })
    await connection.authorize({ scope: 'notes:read' })
    for (let time = 0; time < 2; time++) {
      await expect(ping(connection)).rejects.toMatchObject({
        code: 'insufficient_scope',
        step: 'authorize',
        url: servers.mcp.url,
        expected: 'scope notes:write',
        received: expect.stringContaining('notes:read'),
        hint: expect.stringContaining('authorize({ scope })'),
      })
    }
    expect(asked).toEqual([{ url: servers.mcp.url, scope: 'notes:read notes:write', added: ['notes:write'] }])
    expect(agent.begun).toBe(1)
  })

  it('the person may refuse: the login stays as it is, and the next request asks nobody', {
    tags: 'mcp/track-step-ups',
  }, async () => {
    const { connection, agent, alice } = connect()
    await connection.authorize({ scope: 'notes:read' })
    const before = await connection.token()
    alice.decision = 'deny'
    await expect(ping(connection)).rejects.toMatchObject({ code: 'access_denied' })
    await expect(ping(connection)).rejects.toMatchObject({ code: 'insufficient_scope' })
    expect(agent.begun).toBe(2)
    expect(await connection.token()).toEqual(before)
  })

  it('nobody is asked where only authorize() may ask: the error names the scope, and authorize({ scope }) gets it', async () => {
    const { connection, agent } = connect({ interaction: 'explicit' })
    await connection.authorize({ scope: 'notes:read' })
    const error = await ping(connection).catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'interaction_required',
      interaction: { url: servers.mcp.url, reason: 'more_scope', scope: 'notes:read notes:write' },
    })
    await connection.authorize({ scope: error.interaction.scope })
    expect((await ping(connection)).status).not.toBe(403)
    expect(agent.begun).toBe(2)
  })
})
