import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type Person, person } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { collector } from '../support/collector.js'
import { ping } from '../support/mcp-client.js'
import { realServers } from '../support/real-servers.js'
import { shiftedClock } from '../support/shifted-clock.js'
import { kindsIn } from '../support/stored.js'

const redirectUri = 'https://web.example/callback'
const appState = { returnTo: '/notes', list: [1, null, 'ü'] }

describe('a web backend: the host carries the person itself', () => {
  const servers = realServers({})
  const open = closing()

  /** Two processes over one store, and a login that the first of them has begun for `user-1`. */
  async function begun(options: { account?: string | undefined; who?: Person } = {}) {
    const account = 'account' in options ? options.account : 'user-1'
    const clock = shiftedClock()
    const store = memoryStore(() => clock.now())
    const seen = collector()
    const process = (more: ConnectorOptions = {}) => open(createConnector({ store, clock, log: seen.log, ...more }))
    const [a, b] = [process(), process()]
    const connection = a.connect(servers.mcp.url, account === undefined ? {} : { account })
    const login = await connection.beginAuthorization({ redirectUri, appState })
    const callback = await (options.who ?? person()).authorizationResponse(login.authorizationUrl)
    servers.as.clearRequests()
    return { a, b, store, clock, seen, login, callback, process, expected: { account, state: login.state } }
  }

  it('begins with a URL for the browser, a state for the session, and the time until when it is good', async () => {
    const { login, callback, clock } = await begun()
    const url = new URL(login.authorizationUrl)
    expect(url.searchParams.get('state')).toBe(login.state)
    expect(url.searchParams.get('redirect_uri')).toBe(redirectUri)
    expect(login.expiresAt).toBeGreaterThan(clock.now() + 590_000)
    expect(callback.startsWith(`${redirectUri}?`)).toBe(true)
  })

  it('registers as what it is: a web application with one redirect URI', {
    tags: ['mcp-registration/application-type', 'mcp-registration/application-type-web'],
  }, async () => {
    const bodies: string[] = []
    const oauthFetch: typeof fetch = (input, init) => {
      bodies.push(String(init?.body))
      return fetch(input, init)
    }
    const connection = open(createConnector({ oauthFetch })).connect(servers.mcp.url)
    await connection.beginAuthorization({ redirectUri })
    expect(JSON.parse(bodies.at(-1) ?? '')).toMatchObject({ application_type: 'web', redirect_uris: [redirectUri] })
  })

  it('ends in the other process: the connection, signed in, and the state of the application', async () => {
    const { b, callback, expected } = await begun()
    const completed = await b.completeAuthorization(callback, expected)
    expect(completed.appState).toEqual(appState)
    expect(completed.connection).toBe(b.connect(servers.mcp.url, { account: 'user-1' }))
    expect(completed.connection.getSnapshot()).toMatchObject({ status: 'signed_in', scope: 'notes:read notes:write' })
    expect((await ping(completed.connection)).status).not.toBe(401)
    expect(servers.grants).toEqual(['authorization_code'])
  })

  it('takes the callback as a string, a URL, its parameters or a bare query, and reads the query alone', async () => {
    for (const form of [
      (url: string) => new URL(url),
      (url: string) => new URL(url).searchParams,
      (url: string) => new URL(url).search,
      (url: string) => `${url}#state=other&code=other`,
    ]) {
      const { b, callback, expected } = await begun()
      expect((await b.completeAuthorization(form(callback), expected)).appState).toEqual(appState)
    }
  })

  describe('is checked against the session before anything is consumed', () => {
    it.each([
      ['no state', { account: 'user-1' }, 'state_mismatch'],
      ['another state', { account: 'user-1', state: 'other' }, 'state_mismatch'],
      ['no account', { state: 'own' }, 'account_mismatch'],
      ['another account', { account: 'user-2', state: 'own' }, 'account_mismatch'],
    ])('%s in the session: refused, nothing sent, and the right session can still complete it', async (...row) => {
      const [, session, code] = row
      const { b, callback, expected, login } = await begun()
      const wrong = { ...session, ...('state' in session && session.state === 'own' && { state: login.state }) }
      await expect(b.completeAuthorization(callback, wrong)).rejects.toMatchObject({
        code,
        step: 'authorize',
        action: 'sign_in',
      })
      expect(servers.as.requests).toEqual([])
      await expect(b.completeAuthorization(callback, expected)).resolves.toMatchObject({ appState })
    })

    it('an account where the login had none is another account', async () => {
      const { b, callback, login, expected } = await begun({ account: undefined })
      const wrong = { account: 'user-1', state: login.state }
      await expect(b.completeAuthorization(callback, wrong)).rejects.toMatchObject({ code: 'account_mismatch' })
      await expect(b.completeAuthorization(callback, expected)).resolves.toMatchObject({ appState })
    })

    it.each([
      ['another issuer', 'iss', 'https://evil.example', 'issuer_mismatch', 'iss https://evil.example'],
      ['no issuer, although the server announces it', 'iss', undefined, 'issuer_mismatch', 'no iss'],
      ['no code', 'code', undefined, 'authorization_response_invalid', 'neither'],
    ])(
      '%s in the response: refused, nothing sent, and the right response still counts',
      { tags: ['mcp/record-issuer', 'mcp/validate-iss', 'rfc9207/mismatch'] },
      async (...row) => {
        const [, name, value, code, received] = row
        const { b, callback, expected } = await begun()
        const wrong = new URL(callback)
        wrong.searchParams.delete(name)
        if (value !== undefined) wrong.searchParams.set(name, value)
        const refused = { code, received, step: 'authorize', url: redirectUri }
        await expect(b.completeAuthorization(wrong, expected)).rejects.toMatchObject(refused)
        expect(servers.as.requests).toEqual([])
        await expect(b.completeAuthorization(callback, expected)).resolves.toMatchObject({ appState })
      },
    )

    it.each([
      ['no state', (url: URL) => url.searchParams.delete('state'), 'state_mismatch'],
      ['two states', (url: URL) => url.searchParams.append('state', 'x'), 'authorization_response_invalid'],
      ['two codes', (url: URL) => url.searchParams.append('code', 'x'), 'authorization_response_invalid'],
      ['an unknown state', (url: URL) => url.searchParams.set('state', 'unknown'), 'login_not_found'],
    ])('%s in the response: refused', async (_name, spoil, code) => {
      const { b, callback, expected } = await begun()
      const wrong = new URL(callback)
      spoil(wrong)
      await expect(b.completeAuthorization(wrong, expected)).rejects.toMatchObject({ code, action: 'sign_in' })
      await expect(b.completeAuthorization(callback, expected)).resolves.toMatchObject({ appState })
    })
  })

  describe('delivered twice', { tags: 'rfc6749/code-once' }, () => {
    it('at once, to one process: both get the connection, and the code is sent once', async () => {
      const { b, callback, expected } = await begun()
      const [one, two] = await Promise.all([1, 2].map(() => b.completeAuthorization(callback, expected)))
      expect(one?.connection).toBe(two?.connection)
      expect(two?.appState).toEqual(appState)
      expect(servers.grants).toEqual(['authorization_code'])
    })

    it('at once, to two processes: both get a connection that is signed in, and the code is sent once', async () => {
      const { a, b, callback, expected } = await begun()
      const both = await Promise.all([a, b].map((connector) => connector.completeAuthorization(callback, expected)))
      expect(both.map(({ connection }) => connection.getSnapshot().status)).toEqual(['signed_in', 'signed_in'])
      expect(servers.grants).toEqual(['authorization_code'])
    })

    it('later, as a page that is loaded again: the connection, and nothing is sent', async () => {
      const { a, b, callback, expected } = await begun()
      await b.completeAuthorization(callback, expected)
      servers.as.clearRequests()
      const again = await a.completeAuthorization(callback, expected)
      expect(again.appState).toEqual(appState)
      expect(again.connection.getSnapshot().status).toBe('signed_in')
      expect(servers.as.requests).toEqual([])
    })

    it('later, by another session: the same checks', async () => {
      const { b, callback, expected } = await begun()
      await b.completeAuthorization(callback, expected)
      const stolen = b.completeAuthorization(callback, { account: 'user-2', state: expected.state })
      await expect(stolen).rejects.toMatchObject({ code: 'account_mismatch' })
      await expect(b.completeAuthorization(callback)).rejects.toMatchObject({ code: 'state_mismatch' })
    })

    it('after ten minutes: nobody remembers it', async () => {
      const { b, callback, expected, clock } = await begun()
      await b.completeAuthorization(callback, expected)
      clock.forward(600_001)
      await expect(b.completeAuthorization(callback, expected)).rejects.toMatchObject({ code: 'login_not_found' })
    })
  })

  it('expires after ten minutes', async () => {
    const { b, callback, expected, clock, store } = await begun()
    clock.forward(600_001)
    await expect(b.completeAuthorization(callback, expected)).rejects.toMatchObject({ code: 'login_not_found' })
    expect(servers.as.requests).toEqual([])
    expect(await kindsIn(store)).not.toContain('grant')
  })
})
