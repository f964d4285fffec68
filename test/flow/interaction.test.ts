import { type ConnectorOptions, createConnector, memoryStore } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../servers/index.js'
import { closing } from '../support/closing.js'
import { ping } from '../support/mcp-client.js'
import { simulatedClock } from '../support/simulated-clock.js'
import { soon } from '../support/soon.js'
import { followRedirect, scriptedAgent } from '../support/watched-agent.js'

const open = closing()
let server: ScriptedAuthorization
beforeEach(async () => {
  server = open(await scriptedAuthorization())
})

function connect(options: ConnectorOptions & { account?: string } = {}) {
  const { account, ...more } = options
  const agent = scriptedAgent()
  const connector = open(createConnector({ userAgent: agent, ...more }))
  const connection = connector.connect(server.url, account === undefined ? {} : { account })
  return { agent, connection }
}

/** What a call comes to: the status of a response or snapshot, or the code of an error. */
const outcome = (call: Promise<Response | { readonly status: string }>): Promise<string> =>
  call.then(
    ({ status }) => String(status),
    (error) => error.code,
  )

describe('interaction: who may open a login', () => {
  it.each([
    ['on-demand', 'fetch', '200', 1],
    ['on-demand', 'authorize', 'signed_in', 1],
    ['explicit', 'fetch', 'interaction_required', 0],
    ['explicit', 'authorize', 'signed_in', 1],
    ['never', 'fetch', 'interaction_required', 0],
    ['never', 'authorize', 'interaction_required', 0],
  ] as const)('%s: %s comes to %s, with %i login opened', async (interaction, call, expected, logins) => {
    const { connection, agent } = connect({ interaction })
    expect(await outcome(call === 'fetch' ? ping(connection) : connection.authorize())).toBe(expected)
    expect(agent.begun).toBe(logins)
  })

  it.each([
    ["the package's own user agent", {}, 'fetch opens a login'],
    ["a host's own user agent", { userAgent: scriptedAgent({ onDemand: false }) }, 'fetch does not'],
    ['an account is given: another person than the one at this machine', { account: 'alice' }, 'fetch does not'],
    [
      'an account is given, and the mode',
      { account: 'alice', interaction: 'on-demand' as const },
      'fetch opens a login',
    ],
  ])('the default with $0: $2', async (_name, options, expected) => {
    const { connection } = connect(options)
    const came = await outcome(ping(connection))
    expect(came).toBe(expected === 'fetch opens a login' ? '200' : 'interaction_required')
  })

  it.each(['on-demand', 'explicit', 'never'] as const)(
    '%s without a user agent: interaction_required at once',
    async (interaction) => {
      const connection = open(createConnector({ interaction })).connect(server.url)
      expect(await outcome(ping(connection))).toBe('interaction_required')
      expect(await outcome(connection.authorize())).toBe('interaction_required')
      expect(await outcome(connection.token().then(() => ({ status: 'token' })))).toBe('interaction_required')
    },
  )

  it('interaction_required has everything that a user interface needs to ask', async () => {
    server.routes.mcp = (_request, usual) => {
      const { headers } = usual()
      return { status: 401, headers: { 'www-authenticate': `${headers?.['www-authenticate']}, scope="read write"` } }
    }
    const { connection } = connect({ account: 'alice' })
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'interaction_required',
      step: 'authorize',
      url: server.url,
      action: 'sign_in',
      hint: 'Call authorize() or beginAuthorization() where a person can act.',
      interaction: { url: server.url, account: 'alice', scope: 'read write', reason: 'no_login' },
    })
  })

  it('never: uses and renews what a person has granted earlier', async () => {
    const clock = simulatedClock()
    const store = memoryStore(() => clock.now())
    await connect({ store, clock }).connection.authorize()
    const { connection, agent } = connect({ store, clock, interaction: 'never' })
    expect(await outcome(ping(connection))).toBe('200')
    await clock.advance(300_000)
    expect(await outcome(ping(connection))).toBe('200')
    expect(agent.begun).toBe(0)
  })
})

describe('authorize', () => {
  it('given up by the one who asked for it: the login is over, and the page is closed', async () => {
    const agent = scriptedAgent({ browser: () => new Promise(() => undefined) })
    const { connection } = connect({ userAgent: agent })
    const enough = new AbortController()
    const asked = connection.authorize({ signal: enough.signal })
    await soon(() => agent.pages.length).toBe(1)
    enough.abort()
    await expect(asked).rejects.toMatchObject({ code: 'request_aborted' })
    await soon(() => agent.ends).toMatchObject([{ ok: false, error: { code: 'login_cancelled' } }])
  })

  it('given up by one who only joined: the login goes on', async () => {
    let comeBack = (): void => undefined
    const away = new Promise<void>((resolve) => {
      comeBack = resolve
    })
    const agent = scriptedAgent({ browser: (url) => away.then(() => followRedirect(url)) })
    const { connection } = connect({ userAgent: agent })
    const asked = connection.authorize()
    const enough = new AbortController()
    const joined = connection.authorize({ signal: enough.signal })
    await soon(() => agent.pages.length).toBe(1)
    enough.abort()
    await expect(joined).rejects.toMatchObject({ code: 'request_aborted' })
    comeBack()
    expect(await asked).toMatchObject({ status: 'signed_in' })
  })

  it('begins the user agent before it returns, so that a popup opens within the click', () => {
    const { connection, agent } = connect()
    connection.authorize().catch(() => undefined)
    expect(agent.begun).toBe(1)
  })
})

describe('a request that nobody waits for', () => {
  const listen = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' }

  it.each([
    ['the GET stream', { method: 'GET' }],
    ['subscriptions/listen', { method: 'POST', body: JSON.stringify(listen) }],
    ['subscriptions/listen, indented', { method: 'POST', body: JSON.stringify(listen, undefined, 2) }],
  ])('%s never opens a login', async (_name, init) => {
    const { connection, agent } = connect()
    expect(await outcome(connection.fetch(server.url, init))).toBe('interaction_required')
    expect(agent.begun).toBe(0)
  })

  it('joins the login that is under way all the same', async () => {
    const { connection, agent } = connect()
    const [stream, request] = await Promise.all([
      connection.fetch(server.url),
      ping(connection),
      connection.authorize(),
    ])
    expect([stream.status, request.status]).toEqual([202, 200])
    expect(agent.begun).toBe(1)
  })

  it('of the legacy SSE transport gets the 401 back: it reconnects for ever when fetch throws', async () => {
    const { connection, agent } = connect()
    const response = await connection.fetch(server.url, { cache: 'no-store', headers: { accept: 'text/event-stream' } })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ error: 'unauthorized' })
    expect(agent.begun).toBe(0)
  })
})
