import { beforeEach, describe, expect, it } from 'vitest'
import { type Answer, type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { storedText } from '../../support/stored.js'
import { answers, deviceHosts, outcome, pollsOf, refused } from './host.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization({ devices: true }))
})
const host = deviceHosts(() => server)

const device = (members: Record<string, unknown>): void => {
  server.routes.deviceAuthorization = (_request, usual) => ({ json: { ...(usual().json as object), ...members } })
}
const metadata = (members: Record<string, unknown>): void => {
  server.routes.serverMetadata = (_request, usual) => ({ json: { ...(usual().json as object), ...members } })
}

describe('a device authorization that deviates', () => {
  it('as Google and others write it: read as it was meant, and told', async () => {
    device({ verification_uri: undefined, verification_url: `${server.origin}/enter`, interval: '7', expires_in: '90' })
    const { connection, page, poll, log } = host()
    const signedIn = outcome(connection.authorize())
    expect(await page()).toMatchObject({ verificationUri: `${server.origin}/enter` })
    server.deviceCodes.clear()
    await poll(7_000)
    expect(await signedIn).toBe('signed_in')
    const url = `${server.origin}/device`
    expect(log.diagnostics).toEqual([
      { code: 'expires_in_not_a_number', url, expected: 'expires_in: seconds', received: 'string' },
      { code: 'member_invalid', url, expected: 'interval: seconds', received: 'string' },
      { code: 'verification_uri_misnamed', url, expected: 'verification_uri', received: 'verification_url' },
    ])
  })

  it('is refused where the connector is strict', async () => {
    device({ interval: '7' })
    const failed = await host({ strict: true })
      .connection.authorize()
      .catch((error) => error)
    expect(failed).toMatchObject({ code: 'authorization_rejected', step: 'prepare', expected: 'interval: seconds' })
  })

  it.each<[string, Answer, object]>([
    ['a refusal', refused('invalid_scope'), { oauth: { error: 'invalid_scope' }, received: 'HTTP 400' }],
    ['a refusal with 200, as GitHub sends it', refused('invalid_scope', 200), { oauth: { error: 'invalid_scope' } }],
    ['a page', { status: 200, body: '<html>' }, { expected: 'a JSON object', received: 'markup' }],
    ['no code', { json: { device_code: 'secret-1' } }, { expected: 'user_code: a string', received: 'nothing' }],
  ])('%s: said in full, and nothing is polled', async (_name, answer, said) => {
    server.routes.deviceAuthorization = answer
    const error = await host()
      .connection.authorize()
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'authorization_rejected', step: 'prepare', url: `${server.origin}/device` })
    expect(error).toMatchObject(said)
    expect(error.message).not.toContain('secret-1')
    expect(pollsOf(server)).toEqual([])
  })

  it('a server that is busy', async () => {
    server.routes.deviceAuthorization = { status: 503, headers: { 'retry-after': '7' } }
    const error = await host()
      .connection.authorize()
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'server_unavailable', step: 'prepare', action: 'retry_at' })
  })

  it.each(['http://as.example/enter', 'javascript:alert(1)', 'https://me:secret@as.example/enter'])(
    'a person is not sent to %s',
    async (verification_uri) => {
      device({ verification_uri })
      const { connection, agent } = host()
      const error = await connection.authorize().catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'url_not_allowed', expected: 'verification_uri' })
      expect(agent.pages).toEqual([])
    },
  )

  it('URIs with what no URI has in it are shown as a browser would read them', async () => {
    const odd = {
      verification_uri: `${server.origin}/en\u202eter `,
      verification_uri_complete: `${server.origin}/?c=AB CD`,
    }
    device(odd)
    const { connection, page } = host()
    void outcome(connection.authorize())
    const { verificationUri, verificationUriComplete } = await page()
    expect(verificationUri).toBe(`${server.origin}/en%E2%80%AEter`)
    expect(verificationUriComplete).toBe(`${server.origin}/?c=AB%20CD`)
  })

  it('a complete URI that a person may not be sent to is left out; the code can be typed', async () => {
    device({ verification_uri_complete: 'javascript:alert(1)', verification_uri: `${server.origin}/#/enter` })
    const { connection, page } = host()
    void outcome(connection.authorize())
    const shown = await page()
    expect(shown.verificationUri).toBe(`${server.origin}/#/enter`)
    expect(shown).not.toHaveProperty('verificationUriComplete')
  })
})

describe('answers to polls that deviate', () => {
  it.each([
    ['200, as GitHub', 200, 'slow_down', 12_000],
    ['428, as Google', 428, 'authorization_pending', 7_000],
    ['403, as Google', 403, 'slow_down', 12_000],
    ['429', 429, 'slow_down', 12_000],
  ])('an error of the grant with %s means what it says', async (_name, status, error, waitMs) => {
    device({ interval: 7 })
    answers(server, refused(error, status))
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    await poll(7_000)
    server.deviceCodes.clear()
    await poll(waitMs)
    expect(await signedIn).toBe('signed_in')
  })

  it.each([
    ['access_denied', 403, 'access_denied'],
    ['expired_token', 404, 'login_timeout'],
  ])('%s with %i ends it', async (error, status, code) => {
    answers(server, refused(error, status))
    const { connection, page, poll } = host()
    const failed = outcome(connection.authorize())
    await page()
    await poll(5_000)
    expect(await failed).toBe(code)
  })

  it('a server that repeats the device code in its error: it is not shown', async () => {
    answers(server, {
      status: 400,
      json: { error: 'invalid_grant', error_description: 'no scripted-device-code-2 here' },
    })
    const { connection, page, poll, log } = host()
    const failed = connection.authorize().catch((error) => error)
    await page()
    await poll(5_000)
    expect((await failed).oauth).toEqual({ error: 'invalid_grant', error_description: 'no … here' })
    expect(JSON.stringify(log.events)).not.toContain('scripted-device-code')
  })
})

describe('servers and clients', () => {
  it('a client that the server has forgotten is registered again, once, and the person gets a new code', async () => {
    const { connection, page, poll, agent, store } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    answers(server, refused('invalid_client', 401))
    await poll(5_000)
    expect(await page(2)).toMatchObject({ userCode: 'CODE-4' })
    expect((await storedText(store)).includes('scripted-device-code-2')).toBe(false)
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')
    expect(agent.ends).toEqual([{ ok: true }])
  })

  it('one that was forgotten before the code was asked for: the same', async () => {
    let asked = 0
    server.routes.deviceAuthorization = (_request, usual) =>
      ++asked === 1 ? refused('unauthorized_client', 401) : usual()
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')
    expect(server.requests.filter(({ path }) => path === '/register')).toHaveLength(2)
  })

  it('a server for devices alone needs no PKCE, because there is no code that it would protect', async () => {
    metadata({ authorization_endpoint: undefined, code_challenge_methods_supported: undefined })
    const { connection, page, poll } = host()
    const signedIn = outcome(connection.authorize())
    await page()
    server.deviceCodes.clear()
    await poll(5_000)
    expect(await signedIn).toBe('signed_in')
  })

  it('an endpoint that the metadata does not name can be set', async () => {
    metadata({ device_authorization_endpoint: undefined })
    const endpoints = { deviceAuthorization: `${server.origin}/device` }
    const { connection, page } = host({ compatibility: { endpoints } })
    void outcome(connection.authorize())
    expect(await page()).toMatchObject({ userCode: 'CODE-2' })
  })

  it('a server without one, for a user agent that shows codes alone: refused before anything is registered', async () => {
    metadata({ device_authorization_endpoint: undefined })
    const error = await host()
      .connection.authorize()
      .catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'user_agent_unsuitable',
      expected: 'an authorization_endpoint or a device_authorization_endpoint that the user agent can use',
      received: `${server.origin}/authorize`,
      action: 'fix_configuration',
    })
    expect(server.requests.filter(({ path }) => path === '/register')).toEqual([])
  })

  it('a server that registers nobody: the error names the grant that a client has to have', async () => {
    metadata({ registration_endpoint: undefined })
    const error = await host()
      .connection.authorize()
      .catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'client_id_required',
      expected: expect.stringContaining('grant-type:device_code'),
    })
  })
})
