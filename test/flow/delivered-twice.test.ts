import { CountersignError, createConnector, memoryStore, type Store } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { soon } from '../support/soon.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

/** A store that is far away: two who read it at once have both read it before one of them writes. */
function distant(): Store {
  const store = memoryStore()
  return {
    ...store,
    async get(key) {
      const value = await store.get(key)
      await new Promise((resolve) => setTimeout(resolve, 20))
      return value
    },
  }
}

/** A login that is begun, and the processes that its callback may reach. */
async function begun(processes: number) {
  const store = distant()
  const connectors = Array.from({ length: processes }, () => open(createConnector({ store })))
  const connection = connectors[0]?.connect(server.url, { account: 'alice' })
  const login = await connection?.beginAuthorization({
    redirectUri: 'https://web.example/callback',
    appState: { returnTo: '/notes' },
  })
  const callback = await followRedirect(login?.authorizationUrl ?? '')
  if (!(callback instanceof URLSearchParams)) throw new Error(callback)
  return { connectors, callback, expected: { account: 'alice', state: login?.state } }
}

const tokenRequests = (): number => server.requests.filter(({ path }) => path === '/token').length

describe('a callback that is delivered to several processes at once', { tags: 'rfc6749/code-once' }, () => {
  it.each([2, 5])('%i: all get the connection, signed in, and the code is sent once', async (processes) => {
    const { connectors, callback, expected } = await begun(processes)
    const ends = await Promise.all(connectors.map((one) => one.completeAuthorization(callback, expected)))
    expect(tokenRequests()).toBe(1)
    for (const { connection, appState } of ends) {
      expect(connection.getSnapshot().status).toBe('signed_in')
      expect(appState).toEqual({ returnTo: '/notes' })
    }
    const tokens = await Promise.all(ends.map(({ connection }) => connection.token()))
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1)
  })

  it('whose code is refused: all are told that it came to nothing, one of them why', async () => {
    const { connectors, callback, expected } = await begun(2)
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    const codes = await Promise.all(
      connectors.map((one) => one.completeAuthorization(callback, expected).catch((error) => error.code)),
    )
    expect(codes.sort()).toEqual(['login_not_found', 'token_request_rejected'])
    expect(tokenRequests()).toBe(1)
  })
})

describe('a page that sleeps while its login is completed where the response came to', () => {
  /** Signs in; the page at the redirect URI does `meanwhile` with the response before the page that waits for it wakes. */
  async function asleep(meanwhile: (complete: () => Promise<unknown>) => Promise<unknown>) {
    const store = memoryStore()
    const userAgent = scriptedAgent({
      browser: async (url) => {
        const callback = await followRedirect(url)
        await meanwhile(() => open(createConnector({ store })).completeAuthorization(callback as URLSearchParams))
        return callback
      },
    })
    const connection = open(createConnector({ store, userAgent })).connect(server.url)
    return { connection, end: connection.authorize() }
  }

  it('is signed in when it wakes, and sends nothing', async () => {
    const { connection, end } = await asleep((complete) => complete())
    expect(await end).toMatchObject({ status: 'signed_in' })
    expect(connection.getSnapshot()).toEqual(await end)
    expect(tokenRequests()).toBe(1)
  })

  it('in the middle of that: waits for it', async () => {
    server.routes.token = async (_request, usual) => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return usual()
    }
    const { end } = await asleep(async (complete) => {
      void complete()
      await soon(tokenRequests).toBe(1)
    })
    expect(await end).toMatchObject({ status: 'signed_in' })
    expect(tokenRequests()).toBe(1)
  })

  it('and then hears that the window is closed: is signed in all the same', async () => {
    const { end } = await asleep(async (complete) => {
      await complete()
      throw new CountersignError('login_cancelled', { step: 'present' })
    })
    expect(await end).toMatchObject({ status: 'signed_in' })
  })

  it('which comes to nothing: login_not_found, and the next login is a new one', async () => {
    server.routes.token = { status: 400, json: { error: 'invalid_grant' } }
    const { connection, end } = await asleep((complete) => complete().catch(() => undefined))
    await expect(end).rejects.toMatchObject({ code: 'login_not_found', action: 'sign_in' })
    expect(connection.getSnapshot().status).toBe('failed')
  })
})

describe('a callback with a parameter twice', () => {
  it.each(['code', 'error', 'iss'])('%s: is no response, and the login still waits for one', async (name) => {
    const { connectors, callback, expected } = await begun(1)
    const [connector] = connectors
    const twice = new URLSearchParams(callback)
    for (const value of ['one', 'two']) twice.append(name, value)
    await expect(connector?.completeAuthorization(twice, expected)).rejects.toMatchObject({
      code: 'authorization_response_invalid',
      step: 'authorize',
    })
    expect(tokenRequests()).toBe(0)
    const completed = await connector?.completeAuthorization(callback, expected)
    expect(completed?.connection.getSnapshot().status).toBe('signed_in')
  })
})
