import { createConnector, loopback, memoryStore } from '@countersign/node'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, type ScriptedRoute, scriptedAuthorization } from '../servers/index.js'
import { browser } from '../support/bad-input.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { onDemand } from '../support/refreshing.js'
import { runScript } from '../support/run-script.js'
import { kindsIn } from '../support/stored.js'
import { watched } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

function connect(visit: (url: string) => unknown = browser) {
  const store = memoryStore()
  const agent = watched(loopback({ open: visit }))
  const connector = createConnector({ appId: 'test', store, userAgent: agent })
  return { connector, connection: connector.connect(server.url), agent, store }
}

describe('a connector that is closed in the middle of a login', () => {
  it.each<[string, ScriptedRoute, readonly string[]]>([
    ['while the resource metadata is asked for', 'resourceMetadata', []],
    ['while the server metadata is asked for', 'serverMetadata', []],
    ['while the client is registered', 'register', ['discovery']],
    ['while the person is at the page', 'authorize', ['discovery', 'registration']],
  ])('%s: the login ends at once, nobody listens, nothing is left of it', async (_name, route, left) => {
    const held = onDemand()
    server.routes[route] = held.route
    const { connector, connection, agent, store } = connect()
    const ended = expect(connection.authorize()).rejects.toMatchObject({
      code: 'connector_closed',
      step: 'connect',
      hint: 'Create a new connector.',
    })
    const request = expect(ping(connection)).rejects.toMatchObject({ code: 'connector_closed' })
    await held.asked
    await connector.close()
    await Promise.all([ended, request])
    expect(agent.ends).toMatchObject([{ ok: false, error: { code: 'connector_closed' } }])
    expect(await agent.listening()).toEqual([])
    expect(await kindsIn(store)).toEqual(left)
  })

  it('while the code is exchanged: the answer is waited for and stored, because the code is spent', async () => {
    const held = onDemand()
    server.routes.token = held.route
    const { connector, connection, agent, store } = connect()
    const login = connection.authorize().catch((error) => error)
    await held.asked
    const closed = connector.close()
    held.answer({ json: { access_token: 'a', token_type: 'Bearer', refresh_token: 'r' } })
    await closed
    await login
    expect(await kindsIn(store)).toContain('grant')
    expect(await agent.listening()).toEqual([])
    const next = open(createConnector({ appId: 'test', store, interaction: 'never' }))
    expect(await next.connect(server.url).token()).toMatchObject({ accessToken: 'a' })
  })

  it('leaves a process that can exit', async () => {
    const script = new URL('fixtures/close-mid-login.ts', import.meta.url)
    const { outcome, closedAt } = await runScript<{ outcome: string; closedAt: number }>(script, server.url)
    expect(outcome).toBe('connector_closed')
    expect(Date.now() - closedAt).toBeLessThan(2_000)
  })

  it('and one that never did anything closes at once', async () => {
    const { connector, store } = connect()
    await connector.close()
    expect(await store.keys('')).toEqual([])
  })
})
