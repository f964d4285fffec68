import { type ConnectorOptions, createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { settled, simulatedClock } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let servers: ScriptedAuthorization[]
beforeEach(async () => {
  servers = await Promise.all([1, 2, 3].map(async () => open(await scriptedAuthorization())))
})

/** A person who comes back from one page after the other, when the test says so. */
function host(options: ConnectorOptions = {}) {
  const away: { readonly url: string; comeBack(): void; decline(): void }[] = []
  const agent = scriptedAgent({
    browser: (url) =>
      new Promise((resolve) => {
        const state = new URL(url).searchParams.get('state') ?? ''
        const iss = new URL(url).origin
        away.push({
          url,
          comeBack: () => resolve(followRedirect(url)),
          decline: () => resolve(new URLSearchParams({ error: 'access_denied', state, iss })),
        })
      }),
  })
  const connector = open(createConnector({ userAgent: agent, ...options }))
  const connections = servers.map(({ url }) => connector.connect(url))
  const pages = (): readonly string[] => away.map(({ url }) => new URL(url).origin)
  const shown = (count: number): Promise<void> => soon(() => away.length).toBe(count)
  return { agent, connector, connections, away, pages, shown }
}

const outcome = (call: Promise<{ readonly status: unknown }>): Promise<unknown> =>
  call.then(
    ({ status }) => status,
    (error) => error.code,
  )

describe('a host that starts with several servers', () => {
  it('opens one page at a time, in the order in which they were needed', async () => {
    const { connections, away, pages, shown, agent } = host()
    const requests = connections.map((connection) => ping(connection))
    const order: string[] = []
    for (const count of [1, 2, 3]) {
      await shown(count)
      expect(agent.begun).toBe(count)
      expect(connections.map((c) => c.getSnapshot().status)).toContain('signing_in')
      order.push(...pages().slice(count - 1))
      away[count - 1]?.comeBack()
    }
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(order).size).toBe(3)
    expect(agent.ends).toEqual([{ ok: true }, { ok: true }, { ok: true }])
  })

  it('goes on with the next when the person declines one', async () => {
    const { connections, away, shown } = host()
    const first = outcome(ping(connections[0] as never))
    await shown(1)
    const next = outcome(ping(connections[1] as never))
    away[0]?.decline()
    await shown(2)
    away[1]?.comeBack()
    expect([await first, await next]).toEqual(['access_denied', 200])
  })

  it('tells a request that waits for its turn too long that the login is pending, and opens it all the same', async () => {
    const clock = simulatedClock()
    const { connections, away, shown, agent } = host({ clock })
    const first = outcome(ping(connections[0] as never))
    await shown(1)
    const second = outcome(ping(connections[1] as never))
    await soon(() => clock.sleeping.filter((ms) => ms === 45_000).length).toBe(2)
    await clock.advance(45_000)
    expect([await first, await second]).toEqual(['interaction_pending', 'interaction_pending'])
    expect(agent.begun).toBe(1)
    away[0]?.comeBack()
    await shown(2)
    away[1]?.comeBack()
    await soon(() => connections[1]?.getSnapshot().status).toBe('signed_in')
  })

  it('takes what waits back when it closes: no page opens for it', async () => {
    const { connections, connector, shown, agent } = host()
    const requests = connections.map((connection) => outcome(ping(connection)))
    await shown(1)
    await soon(() => connections.filter((c) => c.getSnapshot().status === 'signing_in').length).toBe(3)
    await connector.close()
    expect(await Promise.all(requests)).toEqual(Array(3).fill('connector_closed'))
    await settled()
    expect(agent.begun).toBe(1)
  })
})

describe('authorize, which a person asked for', () => {
  it('never waits: not for a login that a request opened', async () => {
    const { connections, away, shown } = host()
    const request = ping(connections[0] as never)
    await shown(1)
    const asked = outcome(connections[1]?.authorize() as never)
    await shown(2)
    away[1]?.comeBack()
    expect(await asked).toBe('signed_in')
    away[0]?.comeBack()
    expect((await request).status).toBe(200)
  })

  it('begins at once what a request has queued, within the click', async () => {
    const { connections, away, pages, shown, agent } = host()
    const first = ping(connections[0] as never)
    await shown(1)
    const second = ping(connections[1] as never)
    const third = ping(connections[2] as never)
    await soon(() => connections.filter((c) => c.getSnapshot().status === 'signing_in').length).toBe(3)
    const asked = outcome(connections[1]?.authorize() as never)
    expect(agent.begun).toBe(2)
    await shown(2)
    expect(pages()[1]).toBe(new URL(servers[1]?.url ?? '').origin)
    away[1]?.comeBack()
    expect([await asked, (await second).status]).toEqual(['signed_in', 200])
    // It stood outside of the queue: the third still waits for the first.
    await settled()
    expect(away).toHaveLength(2)
    away[0]?.comeBack()
    await shown(3)
    away[2]?.comeBack()
    expect([(await first).status, (await third).status]).toEqual([200, 200])
  })

  it('given up by the one who opened the login: it goes on for those who have joined', async () => {
    const { connections, away, shown, agent } = host()
    const enough = new AbortController()
    const opener = outcome(connections[0]?.authorize({ signal: enough.signal }) as never)
    const joined = outcome(connections[0]?.authorize() as never)
    await shown(1)
    enough.abort()
    expect(await opener).toBe('request_aborted')
    away[0]?.comeBack()
    expect(await joined).toBe('signed_in')
    expect(agent.begun).toBe(1)
  })
})
