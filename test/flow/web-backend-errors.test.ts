import { createConnector, memoryStore } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { person } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { realServers } from '../support/real-servers.js'
import { kindsIn } from '../support/stored.js'

const redirectUri = 'https://web.example/callback'

describe('a web backend: logins that come to nothing', () => {
  const servers = realServers({})
  const open = closing()

  async function begun(who = person()) {
    const store = memoryStore()
    const connector = open(createConnector({ store }))
    const connection = connector.connect(servers.mcp.url, { account: 'user-1' })
    const login = await connection.beginAuthorization({ redirectUri })
    const callback = new URL(await who.authorizationResponse(login.authorizationUrl))
    return { connector, connection, store, callback, expected: { account: 'user-1', state: login.state } }
  }

  it('the person declines: access_denied, the login is over, and the snapshot says why', async () => {
    const { connector, connection, callback, expected, store } = await begun(person({ decision: 'deny' }))
    await expect(connector.completeAuthorization(callback, expected)).rejects.toMatchObject({
      code: 'access_denied',
      step: 'authorize',
      url: `${servers.as.issuer}/auth`,
      oauth: { error: 'access_denied', error_description: 'End-User aborted interaction' },
      action: 'sign_in',
      hint: expect.stringContaining('Sign in again'),
    })
    expect(connection.getSnapshot()).toMatchObject({ error: { code: 'access_denied' } })
    expect(await kindsIn(store)).toEqual(['discovery', 'registration'])
    await expect(connector.completeAuthorization(callback, expected)).rejects.toMatchObject({ code: 'login_not_found' })
    expect(servers.grants).toEqual([])
  })

  it('another error of the server: in its own words, made harmless', async () => {
    const { connector, callback, expected } = await begun()
    callback.searchParams.delete('code')
    callback.searchParams.set('error', 'invalid_scope')
    callback.searchParams.set('error_description', `line\nbreak \u202Eright to left ${'x'.repeat(1_000)}`)
    const error = await connector.completeAuthorization(callback, expected).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'authorization_rejected', oauth: { error: 'invalid_scope' } })
    expect(error.oauth.error_description).toMatch(/^line\\u000abreak \\u202eright to left x{474,476}…$/)
    expect(error.message).not.toContain('\n')
  })

  it('an error from somebody who is not the server is not even shown', {
    tags: ['mcp/iss-of-errors', 'rfc9207/mismatched-error'],
  }, async () => {
    const { connector, callback, expected } = await begun()
    callback.searchParams.set('iss', 'https://evil.example')
    callback.searchParams.set('error', 'please_call_this_number')
    const error = await connector.completeAuthorization(callback, expected).catch((thrown) => thrown)
    expect(error.code).toBe('issuer_mismatch')
    expect(JSON.stringify(error)).not.toContain('please_call_this_number')
  })

  it('the code is refused: the error of the token endpoint, and nothing is left that could be tried again', async () => {
    const { connector, connection, callback, expected, store } = await begun()
    callback.searchParams.set('code', 'made-up')
    await expect(connector.completeAuthorization(callback, expected)).rejects.toMatchObject({
      code: 'token_request_rejected',
      step: 'exchange',
      url: `${servers.as.issuer}/token`,
      oauth: { error: 'invalid_grant' },
    })
    expect(await kindsIn(store)).not.toContain('attempt')
    expect(connection.getSnapshot().status).toBe('failed')
    await expect(connection.token()).rejects.toMatchObject({ code: 'interaction_required' })
  })

  it('the server has forgotten the client meanwhile: sign in again, with another client', async () => {
    const { connector, connection, callback, expected, store } = await begun()
    servers.as.forgetClients()
    await expect(connector.completeAuthorization(callback, expected)).rejects.toMatchObject({
      code: 'client_forgotten',
      step: 'exchange',
      action: 'sign_in',
    })
    expect(await kindsIn(store)).not.toContain('registration')
    const { authorizationUrl, state } = await connection.beginAuthorization({ redirectUri })
    const again = await person().authorizationResponse(authorizationUrl)
    const completed = await connector.completeAuthorization(again, { account: 'user-1', state })
    expect(completed.connection.getSnapshot().status).toBe('signed_in')
  })

  it('the state of the application is at most 4 KB of JSON, in UTF-8', async () => {
    const { connection, connector } = await begun()
    const begin = (appState: string) => connection.beginAuthorization({ redirectUri, appState })
    await expect(begin('x'.repeat(4_095))).rejects.toMatchObject({
      code: 'options_invalid',
      step: 'prepare',
      expected: 'appState of at most 4096 bytes',
      received: '4097 bytes',
    })
    await expect(begin('ü'.repeat(2_048))).rejects.toMatchObject({ received: '4098 bytes' })
    const { authorizationUrl, state } = await begin('x'.repeat(4_094))
    expect(authorizationUrl).not.toContain('xxxx')
    const callback = await person().authorizationResponse(authorizationUrl)
    const { appState } = await connector.completeAuthorization(callback, { account: 'user-1', state })
    expect(appState).toBe('x'.repeat(4_094))
  })

  it.each([null, false, 0, '', [], {}])('the state of the application may be %j', async (appState) => {
    const connector = open(createConnector())
    const { authorizationUrl, state } = await connector
      .connect(servers.mcp.url)
      .beginAuthorization({ redirectUri, appState })
    const callback = await person().authorizationResponse(authorizationUrl)
    expect((await connector.completeAuthorization(callback, { state })).appState).toEqual(appState)
  })

  it.each(['/callback', 'https://web.example/callback#done', ''])('%j is no redirect URI', async (uri) => {
    const connection = open(createConnector()).connect(servers.mcp.url)
    await expect(connection.beginAuthorization({ redirectUri: uri })).rejects.toMatchObject({
      code: 'options_invalid',
      step: 'prepare',
      expected: 'redirectUri as an absolute URL without fragment (RFC 6749 section 3.1.2)',
    })
  })

  it('a redirect URI in cleartext off loopback is refused before anything is registered', {
    tags: 'mcp-security/redirect-uris',
  }, async () => {
    const connection = open(createConnector()).connect(servers.mcp.url)
    const wrong = 'http://web.example/callback'
    await expect(connection.beginAuthorization({ redirectUri: wrong })).rejects.toMatchObject({
      code: 'options_invalid',
      expected: 'a redirect URI with https, or http on loopback',
      received: wrong,
      action: 'fix_configuration',
    })
    expect(servers.asked('/reg')).toBe(0)
  })

  it("with interaction 'never' no login is begun", async () => {
    const connection = open(createConnector({ interaction: 'never' })).connect(servers.mcp.url)
    await expect(connection.beginAuthorization({ redirectUri })).rejects.toMatchObject({ code: 'interaction_required' })
  })

  it('a connector that was closed begins and completes nothing', async () => {
    const { connector, connection, callback, expected } = await begun()
    await connector.close()
    const closed = { code: 'connector_closed' }
    await expect(connector.completeAuthorization(callback, expected)).rejects.toMatchObject(closed)
    await expect(connection.beginAuthorization({ redirectUri })).rejects.toMatchObject(closed)
    expect(() => connector.connect(servers.mcp.url)).toThrow(expect.objectContaining(closed))
    expect(servers.grants).toEqual([])
  })
})
