import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { oneMachine } from '../support/one-machine.js'
import { settled } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { kindsIn, recordIn } from '../support/stored.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})
const machine = oneMachine(() => server.url)

const outcome = (call: Promise<{ readonly status: unknown }>): Promise<unknown> =>
  call.then(
    ({ status }) => status,
    (error) => error.code,
  )
const codesSpent = (): number => server.requests.filter(({ path }) => path === '/token').length

describe('processes that need the same login at once', () => {
  it('open one page; the other follows, and picks up the tokens', async () => {
    const { start, comeBack, until, store } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(ping(one.connection))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    expect(two.connection.getSnapshot().status).toBe('signing_in')
    await comeBack(one.agent.pages[0])
    expect(await first).toBe(200)
    expect(await until(second)).toBe(200)
    expect(two.agent.ends).toEqual([{ ok: true }])
    expect(two.log.types).toEqual(['login_started', 'login_followed', 'adopted'])
    expect([two.agent.pages.length, codesSpent()]).toEqual([0, 1])
    expect(await kindsIn(store)).not.toContain('login')
  })

  it('eight at the very same moment open one page', async () => {
    const { start, comeBack, until } = machine()
    const all = Array.from({ length: 8 }, () => start())
    const requests = all.map(({ connection }) => outcome(ping(connection)))
    const pages = () => all.flatMap(({ agent }) => agent.pages)
    await soon(() => pages().length).toBe(1)
    await soon(() => all.filter(({ log }) => log.types.includes('login_followed')).length).toBe(7)
    await comeBack(pages()[0])
    expect(await until(Promise.all(requests))).toEqual(Array(8).fill(200))
    expect([pages().length, codesSpent()]).toEqual([1, 1])
  })

  it('the person says no: those who follow are told so, and open no page of their own', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(ping(one.connection))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    await comeBack(one.agent.pages[0], 'decline')
    expect(await first).toBe('access_denied')
    expect(await until(second)).toBe('access_denied')
    expect(two.agent.pages).toEqual([])
    // Who asks afterwards gets a page.
    const again = outcome(two.connection.authorize())
    await two.shown()
    await comeBack(two.agent.pages[0])
    expect(await again).toBe('signed_in')
  })

  it('what only the first cannot do, the other tries itself', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start({ opens: false }), start()]
    one.stop()
    const first = outcome(ping(one.connection))
    one.go()
    await soon(() => one.log.types).toContain('login_started')
    const second = outcome(ping(two.connection))
    expect(await first).toBe('browser_not_opened')
    await settled()
    await until(two.shown())
    await comeBack(two.agent.pages[0])
    expect(await second).toBe(200)
  })

  it('one that comes when the other is just done finds its tokens, and opens nothing', async () => {
    const { start, comeBack } = machine()
    const [one, two] = [start(), start()]
    await two.connection.token().catch(() => undefined)
    const first = one.connection.authorize()
    await one.shown()
    await comeBack(one.agent.pages[0])
    await first
    expect((await ping(two.connection)).status).toBe(200)
    expect(two.agent.pages).toEqual([])
  })

  it('a request whose scope the login of the other does not cover gets a page of its own', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(one.connection.authorize({ scope: 'read' }))
    await one.shown()
    const second = outcome(two.connection.authorize({ scope: 'read write' }))
    await two.follows()
    await comeBack(one.agent.pages[0])
    expect(await first).toBe('signed_in')
    await until(two.shown())
    await comeBack(two.agent.pages[0])
    expect(await second).toBe('signed_in')
    expect(two.connection.getSnapshot().scope).toBe('read write')
  })

  it('two that sign in to two servers use two ports of the row, and one registration would do for both', async () => {
    const { start } = machine()
    const [one, two] = [start(), start()]
    const other = open(await scriptedAuthorization())
    outcome(one.connection.authorize())
    outcome(two.connector.connect(other.url).authorize())
    await Promise.all([one.shown(), two.shown()])
    const uris = [one, two].flatMap(({ agent }) => agent.ways).map((way) => way?.kind === 'redirect' && way.redirectUri)
    expect(uris.sort()).toEqual(['http://127.0.0.1:1/callback', 'http://127.0.0.1:2/callback'])
    const registered = [server, other].map(({ requests }) => requests.find(({ path }) => path === '/register')?.body)
    expect(registered[0]).toBe(registered[1])
  })
})

describe('the process that asked the person is gone', () => {
  it.each([
    ['seen to be gone: at once', true],
    ['where it cannot be seen, when its lease has run out', false],
  ])('%s, the other binds its port and completes the login; no second page', async (_name, seen) => {
    const { start, comeBack, clock, store, until } = machine()
    const [one, two] = [start({ seen }), start({ seen })]
    outcome(ping(one.connection))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    one.kill()
    expect(await comeBack(one.agent.pages[0])).toBe(false)
    const since = clock.now()
    await until(two.shown())
    expect(clock.now() - since >= 30_000).toBe(!seen)
    expect(two.agent.pages).toMatchObject([{ resumed: true, state: (one.agent.pages[0] as { state: string }).state }])
    expect(await comeBack(one.agent.pages[0])).toBe(true)
    expect(await second).toBe(200)
    expect(two.log.types).toEqual([
      'login_started',
      'login_followed',
      'login_resumed',
      'login_waiting',
      'login_completed',
    ])
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(1)
    expect(await kindsIn(store)).not.toContain('login')
  })

  it('of several that follow, one takes over, and the others follow that one', async () => {
    const { start, comeBack, until } = machine()
    const [one, ...others] = [start(), start(), start(), start()]
    outcome(ping(one.connection))
    await one.shown()
    const requests = others.map(({ connection }) => outcome(ping(connection)))
    await Promise.all(others.map((other) => other.follows()))
    const pages = () => others.flatMap(({ agent }) => agent.pages)
    one.kill()
    await until(soon(() => pages()).toMatchObject([{ resumed: true }]))
    // And the one that took over goes too.
    const second = others.find(({ agent }) => agent.pages.length > 0)
    second?.kill()
    await until(soon(() => pages()).toMatchObject([{ resumed: true }, { resumed: true }]))
    expect(await comeBack(one.agent.pages[0])).toBe(true)
    const alive = requests.filter((_, at) => others[at] !== second)
    expect(await until(Promise.all(alive))).toEqual([200, 200])
    expect(codesSpent()).toBe(1)
  })

  it.each([
    ['its port is somebody else’s by now', true],
    ['a user agent that cannot take a page over', false],
  ])('%s: the person gets a new page', async (_name, resumes) => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start({ resumes })]
    outcome(ping(one.connection))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    one.kill()
    if (resumes) {
      const other = open(await scriptedAuthorization())
      const stranger = start()
      outcome(stranger.connector.connect(other.url).authorize())
      await stranger.shown()
    }
    await until(two.shown())
    expect(two.agent.pages).toMatchObject([{ resumed: false }])
    await comeBack(two.agent.pages[0])
    expect(await second).toBe(200)
  })

  it('before it showed a page: the other shows one', async () => {
    const { start, comeBack, until, store } = machine()
    let arrived = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const [one, two] = [start({ oauthFetch: () => new Promise(() => arrived()) }), start()]
    outcome(ping(one.connection))
    await asked
    const second = outcome(ping(two.connection))
    await two.follows()
    expect(await recordIn(store, 'login')).not.toHaveProperty('attempt')
    one.kill()
    await until(two.shown())
    expect(two.agent.pages).toMatchObject([{ resumed: false }])
    await comeBack(two.agent.pages[0])
    expect(await second).toBe(200)
  })

  it('while it exchanged the code: that code is spent, and the person gets a new page', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    let killed = false
    server.routes.token = (_request, usual) => {
      if (killed) return usual()
      killed = true
      one.kill()
      return { status: 500 }
    }
    outcome(ping(one.connection))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    await comeBack(one.agent.pages[0])
    await soon(() => killed).toBe(true)
    // The lease of the grant is one of a sent request whose holder is gone.
    await until(two.shown())
    expect(two.agent.pages).toMatchObject([{ resumed: false }])
    await comeBack(two.agent.pages[0])
    expect(await second).toBe(200)
  })

  it('and nobody followed: who comes later gets a page of its own, with its own options', async () => {
    const { start, comeBack, store } = machine()
    const one = start()
    outcome(ping(one.connection))
    await one.shown()
    one.kill()
    const two = start({ scope: 'read' })
    const second = outcome(ping(two.connection))
    await two.shown()
    expect(two.agent.pages).toMatchObject([{ resumed: false }])
    await comeBack(two.agent.pages[0])
    expect(await second).toBe(200)
    expect(await kindsIn(store)).not.toContain('login')
  })

  it('and left long ago, where it cannot be seen: it is not waited for', async () => {
    const { start, clock } = machine()
    const one = start({ seen: false })
    outcome(ping(one.connection))
    await one.shown()
    one.kill()
    await clock.advance(61_000)
    const two = start({ seen: false })
    outcome(ping(two.connection))
    await two.shown()
    expect(two.log.types).not.toContain('login_followed')
  })
})

describe('the process that asked the person gives up', () => {
  it.each([
    ['closes', 'connector_closed'],
    ['aborts authorize()', 'request_aborted'],
  ])('%s: whoever followed goes on with the page that is open', async (how, code) => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    const enough = new AbortController()
    const first = outcome(one.connection.authorize({ signal: enough.signal }))
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    if (how === 'closes') await one.connector.close()
    else enough.abort()
    expect(await first).toBe(code)
    await until(two.shown())
    expect(two.agent.pages).toMatchObject([{ resumed: true }])
    expect(await comeBack(one.agent.pages[0])).toBe(true)
    expect(await second).toBe(200)
  })

  it('and nobody follows: nothing is left', async () => {
    const { start, store } = machine()
    const one = start()
    const enough = new AbortController()
    const first = outcome(one.connection.authorize({ signal: enough.signal }))
    await one.shown()
    enough.abort()
    expect(await first).toBe('request_aborted')
    await soon(() => one.agent.ends.length).toBe(1)
    expect(await kindsIn(store)).toEqual(['discovery', 'registration'])
  })

  it('by signing out: that ends the login of all', async () => {
    const { start, until } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(one.connection.authorize())
    await one.shown()
    const second = outcome(ping(two.connection))
    await two.follows()
    await one.connection.signOut()
    expect(await first).toBe('login_cancelled')
    expect(await until(second)).toBe('login_cancelled')
    expect(await outcome(ping(two.connection))).toBe('interaction_required')
    expect(two.agent.pages).toEqual([])
  })

  it('who only follows, and gives up, ends nothing', async () => {
    const { start, comeBack } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(one.connection.authorize())
    await one.shown()
    const enough = new AbortController()
    const second = outcome(two.connection.authorize({ signal: enough.signal }))
    await two.follows()
    enough.abort()
    expect(await second).toBe('request_aborted')
    await comeBack(one.agent.pages[0])
    expect(await first).toBe('signed_in')
  })
})

describe('a process that was stopped while it asked the person', () => {
  it('is taken for gone, and follows when it wakes: one login comes of it', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(one.connection.authorize())
    await one.shown()
    const second = outcome(two.connection.authorize())
    await two.follows()
    one.stop()
    // Its port is still bound, so the other needs a page of its own.
    await until(two.shown())
    expect(two.agent.pages).toMatchObject([{ resumed: false }])
    one.go()
    await until(one.follows())
    await comeBack(two.agent.pages[0])
    expect(await second).toBe('signed_in')
    expect(await until(first)).toBe('signed_in')
    expect(codesSpent()).toBe(1)
  })

  it('and gets its answer as it wakes, too late: it follows too', async () => {
    const { start, comeBack, until } = machine()
    const [one, two] = [start(), start()]
    const first = outcome(one.connection.authorize())
    await one.shown()
    const second = outcome(two.connection.authorize())
    await two.follows()
    one.stop()
    await until(two.shown())
    await comeBack(one.agent.pages[0])
    one.go()
    await one.follows()
    await comeBack(two.agent.pages[0])
    expect(await second).toBe('signed_in')
    expect(await until(first)).toBe('signed_in')
  })

  it('a follower that was stopped itself does not take the other for gone', async () => {
    const { start, clock, comeBack, until } = machine()
    const [one, two] = [start({ seen: false }), start({ seen: false })]
    outcome(one.connection.authorize())
    await one.shown()
    const second = outcome(two.connection.authorize())
    await two.follows()
    two.stop()
    await clock.advance(9_000)
    one.stop()
    await clock.advance(60_000)
    two.go()
    await clock.advance(1_000)
    one.go()
    await clock.advance(1_000)
    expect(two.agent.pages).toEqual([])
    await comeBack(one.agent.pages[0])
    expect(await until(second)).toBe('signed_in')
  })
})
