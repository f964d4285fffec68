import { type ConnectorOptions, createConnector, type Fetch } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { refreshing } from '../support/refreshing.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

/** A request as the SDKs' legacy SSE transport makes it: it alone asks for this cache mode. */
const legacy: RequestInit = { cache: 'no-store', headers: { accept: 'text/event-stream' } }
const unauthorized = { error: 'unauthorized' }

describe('the legacy SSE transport, which reconnects for ever when fetch throws: it gets the 401 to read', () => {
  const world = refreshing()
  const attempt = async (login: Awaited<ReturnType<typeof world.login>>): Promise<void> => {
    const response = await login.connection.fetch(world.server.url, legacy)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual(unauthorized)
  }

  it('where the refresh after it fails, and where the next one is not even tried', async () => {
    const login = await world.login()
    world.server.accessTokens.clear()
    world.server.routes.token = { status: 503 }
    for (let time = 0; time < 2; time++) await attempt(login)
    expect(login.spent).toEqual(['r1'])
    // Everybody else is told.
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'server_unavailable' })
  })

  it('where the refresh before it fails: the expired token goes out as it is', async () => {
    const login = await world.login()
    world.server.accessTokens.clear()
    world.server.routes.token = { status: 503 }
    await login.clock.advance(400_000)
    await attempt(login)
    const [sent] = world.server.requests.filter(({ path }) => path === '/mcp')
    expect(sent?.headers.authorization).toBe('Bearer a1')
  })

  it('where the login is over', async () => {
    const login = await world.login()
    world.server.accessTokens.clear()
    world.server.refreshTokens.clear()
    await attempt(login)
    expect(login.agent.begun).toBe(0)
  })

  it('where the login that it joined fails', async () => {
    const agent = scriptedAgent({ browser: async () => new URLSearchParams({ error: 'access_denied' }) })
    const login = await world.login({ userAgent: agent })
    world.server.accessTokens.clear()
    world.server.refreshTokens.clear()
    const signingIn = expect(login.connection.authorize({ force: true })).rejects.toMatchObject({ step: 'authorize' })
    await attempt(login)
    await signingIn
  })

  it('and what comes after a refresh, where that works', async () => {
    const login = await world.login()
    world.server.accessTokens.clear()
    expect((await login.connection.fetch(world.server.url, legacy)).status).toBe(202)
    expect(login.spent).toEqual(['r1'])
  })
})

describe('the body of an answer that is not handed on', () => {
  const open = closing()
  let server: ScriptedAuthorization
  beforeEach(async () => {
    server = open(await scriptedAuthorization())
  })

  /** A server whose refusals have a body that never ends, and how many of them were cancelled. */
  function connect(options: ConnectorOptions = {}) {
    const bodies = { opened: 0, cancelled: 0 }
    const endless: Fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (response.status !== 401) return response
      await response.text()
      bodies.opened++
      const body = new ReadableStream({
        cancel: () => {
          bodies.cancelled++
        },
      })
      return new Response(body, { status: 401, headers: response.headers })
    }
    const connection = open(createConnector({ fetch: endless, ...options })).connect(server.url)
    return { bodies, connection }
  }

  it('is cancelled before a person is asked: a login may take minutes', async () => {
    let whileAsked: object | undefined
    const userAgent = scriptedAgent({
      browser: (url) => {
        whileAsked = { ...bodies }
        return followRedirect(url)
      },
    })
    const { bodies, connection } = connect({ userAgent })
    expect((await ping(connection)).status).toBe(200)
    expect(whileAsked).toEqual({ opened: 1, cancelled: 1 })
  })

  it('is cancelled although what follows fails', async () => {
    const { bodies, connection } = connect({ userAgent: scriptedAgent() })
    await connection.authorize()
    server.accessTokens.clear()
    server.routes.token = { status: 503 }
    for (let time = 0; time < 3; time++) await expect(ping(connection)).rejects.toMatchObject({ action: 'retry_at' })
    expect(bodies).toEqual({ opened: 3, cancelled: 3 })
  })

  it('is cancelled where nobody can be asked, and where the header was the host’s own', async () => {
    const { bodies, connection } = connect()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    const own = ping(connection, { headers: { authorization: 'Bearer mine' } })
    await expect(own).rejects.toMatchObject({ code: 'header_rejected' })
    expect(bodies).toEqual({ opened: 2, cancelled: 2 })
  })

  it('of the legacy SSE transport is cancelled once there is something better', async () => {
    const { bodies, connection } = connect({ userAgent: scriptedAgent() })
    await connection.authorize()
    server.accessTokens.clear()
    expect((await connection.fetch(server.url, legacy)).status).toBe(202)
    expect(bodies).toEqual({ opened: 1, cancelled: 1 })
  })
})
