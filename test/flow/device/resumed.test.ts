import { createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { deviceAgent } from '../../support/device-agent.js'
import { oneMachine } from '../../support/one-machine.js'
import { soon } from '../../support/soon.js'
import { kindsIn, recordIn } from '../../support/stored.js'
import { scriptedAgent } from '../../support/watched-agent.js'
import { outcome, pollsOf, refused } from './host.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization({ devices: true }))
})
const machine = oneMachine(() => server.url)

describe('the process that polls is gone', () => {
  it('one that starts later shows the same code, and polls on', async () => {
    const { start, until, store } = machine()
    const one = start({ userAgent: deviceAgent() })
    outcome(one.connection.authorize())
    await soon(() => recordIn(store, 'attempt')).toBeDefined()
    await until(soon(() => pollsOf(server).length).toBe(1))
    one.kill()

    const agent = deviceAgent()
    const two = start({ userAgent: agent })
    const second = outcome(two.connection.authorize())
    await until(soon(() => agent.pages.length).toBe(1))
    expect(agent.pages).toMatchObject([{ kind: 'device', userCode: 'CODE-2' }])
    server.deviceCodes.clear()
    expect(await until(second)).toBe('signed_in')
    expect(two.log.types).toEqual(['login_started', 'login_resumed', 'login_waiting', 'login_completed'])
    expect(server.requests.filter(({ path }) => path === '/device')).toHaveLength(1)
    expect(new Set(pollsOf(server).map(({ body }) => new URLSearchParams(body).get('device_code'))).size).toBe(1)
    expect(await kindsIn(store)).toEqual(['discovery', 'grant', 'registration'])
  })

  it('one that follows takes over: while both were there, one of them polled', async () => {
    const { start, until } = machine()
    const [first, second] = [deviceAgent(), deviceAgent()]
    const [one, two] = [start({ userAgent: first }), start({ userAgent: second })]
    outcome(one.connection.authorize())
    await until(soon(() => pollsOf(server).length).toBe(1))
    const signedIn = outcome(two.connection.authorize())
    await two.follows()
    await until(soon(() => pollsOf(server).length).toBe(3))
    expect(second.pages).toEqual([])
    one.kill()
    await until(soon(() => second.pages.length).toBe(1))
    server.deviceCodes.clear()
    expect(await until(signedIn)).toBe('signed_in')
  })

  it('one that follows is told when the person says no', async () => {
    const { start, until } = machine()
    const agent = deviceAgent()
    const [one, two] = [start({ userAgent: deviceAgent() }), start({ userAgent: agent })]
    const first = outcome(one.connection.authorize())
    await until(soon(() => pollsOf(server).length).toBe(1))
    const second = outcome(two.connection.authorize())
    await two.follows()
    server.routes.token = refused('access_denied')
    expect(await until(Promise.all([first, second]))).toEqual(['access_denied', 'access_denied'])
    expect(agent.pages).toEqual([])
  })

  it('one that was stopped does not poll beside the one that took over, not even once', async () => {
    const { start, until } = machine()
    const [first, second] = [deviceAgent(), deviceAgent()]
    let pollsOfFirst = 0
    const oauthFetch: typeof fetch = (input, init) => {
      if (String(input).endsWith('/token')) pollsOfFirst++
      return fetch(input, init)
    }
    const one = start({ userAgent: first, seen: false, oauthFetch })
    const two = start({ userAgent: second, seen: false })
    const asleep = outcome(one.connection.authorize())
    await until(soon(() => pollsOf(server).length).toBe(1))
    const awake = outcome(two.connection.authorize())
    await two.follows()
    one.stop()
    await until(soon(() => second.pages.length).toBe(1))
    const before = pollsOfFirst
    one.go()
    await until(one.follows())
    const since = pollsOf(server).length
    await until(soon(() => pollsOf(server).length).toBe(since + 2))
    expect([pollsOfFirst, first.pages.length]).toEqual([before, 1])
    server.deviceCodes.clear()
    expect(await until(Promise.all([asleep, awake]))).toEqual(['signed_in', 'signed_in'])
    expect(server.requests.filter(({ path }) => path === '/device')).toHaveLength(1)
  })

  it.each([
    ['wants more scope', { scope: 'notes:read notes:write' }],
    ['comes after the code has expired', {}],
  ])('one that %s asks for a code of its own', async (name, options) => {
    const { start, until, clock } = machine()
    const one = start({ userAgent: deviceAgent(), scope: 'notes:read' })
    outcome(one.connection.authorize())
    await until(soon(() => pollsOf(server).length).toBe(1))
    one.kill()
    if (name.startsWith('comes')) await clock.advance(600_000)
    const agent = deviceAgent()
    const two = start({ userAgent: agent, ...options })
    const second = outcome(two.connection.authorize())
    await until(soon(() => agent.pages.length).toBe(1))
    expect(agent.pages).not.toMatchObject([{ userCode: 'CODE-2' }])
    server.deviceCodes.clear()
    expect(await until(second)).toBe('signed_in')
    expect(server.requests.filter(({ path }) => path === '/device')).toHaveLength(2)
  })

  it('one whose user agent shows no codes opens its own page', async () => {
    const { start, until } = machine()
    const one = start({ userAgent: deviceAgent() })
    outcome(one.connection.authorize())
    await until(soon(() => pollsOf(server).length).toBe(1))
    one.kill()
    const two = start({ userAgent: scriptedAgent() })
    expect(await until(outcome(two.connection.authorize()))).toBe('signed_in')
    expect(two.log.types).not.toContain('login_resumed')
  })
})

describe('a login that waits for a code', () => {
  it('is completed by no callback, whatever its record is named', async () => {
    const store = memoryStore()
    const connector = open(createConnector({ appId: 'test', store, userAgent: deviceAgent() }))
    void outcome(connector.connect(server.url).authorize())
    await soon(() => server.requests.some(({ path }) => path === '/device')).toBe(true)
    await soon(async () => (await kindsIn(store)).includes('attempt')).toBe(true)
    const { attempt } = (await recordIn(store, 'attempt')) as { attempt: { pending: { id: string } } }
    const callback = `http://127.0.0.1:1/callback?code=1&state=${attempt.pending.id}&iss=${server.issuer}`
    await expect(connector.completeAuthorization(callback)).rejects.toMatchObject({ code: 'login_not_found' })
  })
})
