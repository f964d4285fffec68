import { type ConnectorOptions, CountersignError, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { ping } from '../../support/mcp-client.js'
import { shiftedClock } from '../../support/shifted-clock.js'
import { followRedirect, scriptedAgent } from '../../support/watched-agent.js'

const YEAR_MS = 365 * 86_400_000
const open = closing()
let server: ScriptedAuthorization
let store: Store

beforeEach(async () => {
  server = open(await scriptedAuthorization())
  // One that drops nothing by itself: a store's own clock is not what is tested.
  const memory = memoryStore()
  store = { ...memory, replace: (key, expected, next) => memory.replace(key, expected, next) }
})

/** A process whose clock is wrong by this much when it starts. */
function process(wrongByMs: number, options: ConnectorOptions = {}) {
  const clock = shiftedClock()
  clock.forward(wrongByMs)
  const agent = scriptedAgent()
  const connector = open(createConnector({ appId: 'test', store, clock, userAgent: agent, ...options }))
  return { clock, agent, connector, connection: connector.connect(server.url) }
}

const asked = (path: string): number => server.requests.filter((request) => request.path.includes(path)).length

describe('a clock that jumps costs no login', () => {
  it.each([
    ['ahead', YEAR_MS],
    ['back', -YEAR_MS],
  ])('a year %s while a process runs', async (_name, ms) => {
    const { clock, agent, connection } = process(0)
    await connection.authorize()
    clock.forward(ms)
    for (let n = 0; n < 3; n++) expect((await ping(connection)).ok).toBe(true)
    clock.forward(-ms)
    for (let n = 0; n < 3; n++) expect((await ping(connection)).ok).toBe(true)
    expect(agent.begun).toBe(1)
  })

  it.each([
    ['ahead of', YEAR_MS],
    ['behind', -YEAR_MS],
  ])('a login was made by a process a year %s the others', async (_name, ms) => {
    await process(ms).connection.authorize()
    const { agent, connection } = process(0)
    expect((await ping(connection)).ok).toBe(true)
    await connection.token({ refresh: true })
    expect((await ping(connection)).ok).toBe(true)
    // The server has ended its token, whatever the record says of its expiry.
    server.accessTokens.clear()
    expect((await ping(connection)).ok).toBe(true)
    expect(agent.begun).toBe(0)
  })

  it('refreshes of two processes that are a year apart', async () => {
    const [one, other] = [process(0), process(YEAR_MS)]
    await one.connection.authorize()
    for (let n = 0; n < 3; n++) {
      server.accessTokens.clear()
      expect((await ping(one.connection)).ok).toBe(true)
      server.accessTokens.clear()
      expect((await ping(other.connection)).ok).toBe(true)
    }
    expect(one.agent.begun + other.agent.begun).toBe(1)
  })

  it('a sign-out by a process whose clock is behind is one for all', async () => {
    const one = process(0)
    await one.connection.authorize()
    await process(-YEAR_MS).connection.signOut()
    await expect(one.connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
  })
})

describe('what is kept for a time is not kept for ever by a clock that was wrong', () => {
  it('metadata of a year ahead is asked for again', async () => {
    await keptBy(YEAR_MS)
    await process(0).connector.connect(server.url, { account: 'another' }).authorize()
    expect(asked('.well-known/oauth-authorization-server')).toBe(1)
  })

  it('metadata of this hour is not', async () => {
    await keptBy(0)
    await process(0).connector.connect(server.url, { account: 'another' }).authorize()
    expect(asked('.well-known/oauth-authorization-server')).toBe(0)
  })

  async function keptBy(wrongByMs: number): Promise<void> {
    await process(wrongByMs).connection.authorize()
    expect(await store.keys('test/discovery/')).not.toEqual([])
    server.clearRequests()
  }
})

describe('a login under way', () => {
  it('whose time is over by a clock that jumped says so', async () => {
    const { clock, connection, connector } = process(0)
    const begun = await connection.beginAuthorization({ redirectUri: 'https://web.example/callback' })
    clock.forward(YEAR_MS)
    const callback = (await followRedirect(begun.authorizationUrl)) as URLSearchParams
    const error = await connector.completeAuthorization(callback, { state: begun.state }).catch((e: unknown) => e)
    expect(CountersignError.is(error) && error.code).toBe('login_timeout')
  })

  it('is completed by a clock that went back', async () => {
    const { clock, connection, connector } = process(0)
    const begun = await connection.beginAuthorization({ redirectUri: 'https://web.example/callback' })
    clock.forward(-YEAR_MS)
    const callback = (await followRedirect(begun.authorizationUrl)) as URLSearchParams
    await connector.completeAuthorization(callback, { state: begun.state })
    expect((await ping(connection)).ok).toBe(true)
  })
})
