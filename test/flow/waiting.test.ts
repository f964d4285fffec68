import { createConnector } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { simulatedClock } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

describe('a limit that is longer than any timer', () => {
  it.each(['requestTimeoutMs', 'loginTimeoutMs', 'interactionWaitMs'])('%s: is not over at once', async (limit) => {
    const agent = scriptedAgent()
    const connector = open(createConnector({ userAgent: agent, [limit]: Number.MAX_SAFE_INTEGER }))
    expect((await ping(connector.connect(server.url))).status).toBe(200)
  })
})

describe('a login that fetch has opened', () => {
  /** A person who comes back when the test says so. */
  function slow() {
    let comeBack = (): void => undefined
    const away = new Promise<void>((resolve) => {
      comeBack = resolve
    })
    const agent = scriptedAgent({
      browser: async (url) => {
        await away
        return followRedirect(url)
      },
    })
    const clock = simulatedClock()
    const seen = collector()
    const connector = open(createConnector({ userAgent: agent, clock, log: seen.log }))
    const connection = connector.connect(server.url)
    const shown = (): Promise<void> => soon(() => agent.pages.length).toBe(1)
    return { connection, agent, clock, seen, comeBack, shown }
  }

  it('is waited for 45 seconds; then the request is over, the login goes on, and the next request finds it done', async () => {
    const { connection, agent, clock, comeBack, shown } = slow()
    const request = ping(connection)
    await shown()
    const pending = expect(request).rejects.toMatchObject({ code: 'interaction_pending', step: 'authorize' })
    await clock.advance(44_999)
    const before = server.requests.length
    await clock.advance(1)
    await pending
    expect(connection.getSnapshot().status).toBe('signing_in')

    comeBack()
    await soon(() => connection.getSnapshot().status).toBe('signed_in')
    // The request that was given up is never sent later.
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual(['/authorize', '/token'])
    expect((await ping(connection)).status).toBe(200)
    expect(agent.begun).toBe(1)
  })

  it('is joined by a request that comes while it waits, and that has its own 45 seconds', async () => {
    const { connection, agent, clock, comeBack, shown } = slow()
    const first = ping(connection).catch((error) => error.code)
    await shown()
    await clock.advance(40_000)
    const second = ping(connection)
    await soon(() => clock.sleeping.filter((ms) => ms === 45_000).length).toBe(2)
    await clock.advance(10_000)
    expect(await first).toBe('interaction_pending')
    comeBack()
    expect((await second).status).toBe(200)
    expect(agent.begun).toBe(1)
  })

  it('is not ended by a caller who loses patience', async () => {
    const { connection, agent, comeBack, shown } = slow()
    const impatient = new AbortController()
    const request = ping(connection, { signal: impatient.signal })
    await shown()
    impatient.abort(new Error('enough'))
    await expect(request).rejects.toMatchObject({ code: 'request_aborted', cause: new Error('enough') })
    comeBack()
    await soon(() => connection.getSnapshot().status).toBe('signed_in')
    expect(agent.ends).toEqual([{ ok: true }])
  })

  it('ends after ten minutes without an answer, and the page is closed', async () => {
    const { connection, agent, clock, seen, shown } = slow()
    const request = connection.authorize()
    await shown()
    const timeout = expect(request).rejects.toMatchObject({
      code: 'login_timeout',
      step: 'present',
      url: server.url,
    })
    await clock.advance(600_000)
    await timeout
    expect(agent.ends).toMatchObject([{ ok: false, error: { code: 'login_timeout' } }])
    expect(connection.getSnapshot()).toMatchObject({ status: 'failed', error: { code: 'login_timeout' } })
    expect(seen.types).toEqual(['login_started', 'login_waiting', 'login_failed'])
  })
})
