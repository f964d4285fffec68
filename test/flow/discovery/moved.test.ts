import { trustDiscovered } from '@countersign/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ScriptedAuthorization, scriptedAuthorization } from '../../servers/index.js'
import { closing } from '../../support/closing.js'
import { askedOf, lists, scopesAskedOf } from '../../support/issuers.js'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'
import { seedGrant } from '../../support/seeded.js'

const document = 'GET /.well-known/oauth-protected-resource/mcp'
const login = ['GET /.well-known/oauth-authorization-server', 'POST /register', 'GET /authorize', 'POST /token']

const open = closing()
const at = refreshing()
let next: ScriptedAuthorization
beforeEach(async () => {
  next = open(await scriptedAuthorization())
})

/** The refresh tokens that the old one got. */
const spent = (): readonly (string | null)[] =>
  at.server.requests
    .filter(({ path }) => path === '/token')
    .map(({ body }) => new URLSearchParams(body).get('refresh_token'))

/** From now on the server lists the other authorization server, and takes no token of the old one. */
function move(): void {
  lists(at.server, next)
  at.server.accessTokens.delete('a1')
}

describe('a server that moved to another authorization server while its login was good', () => {
  it('is signed in to there, by the request that was refused, and nothing goes to the old one', {
    tags: 'rfc9728/changed-metadata',
  }, async () => {
    const { connection, agent, record } = await at.login()
    move()
    expect((await ping(connection)).status).toBe(200)
    expect(agent.begun).toBe(1)
    expect(spent()).toEqual([])
    expect(askedOf(at.server)).toEqual([document, document])
    expect(askedOf(next)).toEqual(login)
    expect(await record()).toMatchObject({ granted: { target: { issuer: next.issuer } } })
  })

  it('brings no client of the old one along: it is registered anew', {
    tags: ['mcp-registration/not-reused', 'mcp-registration/registered-anew'],
  }, async () => {
    const { connection } = await at.login({ seed: { client: { client_id: 'of-the-old-one' } } })
    move()
    await ping(connection)
    for (const { url, body } of next.requests) expect(url + body).not.toContain('of-the-old-one')
  })

  it('takes its requested scope along, and offline_access only where the new one lists it', async () => {
    const { connection } = await at.login({ seed: { target: { scope: 'notes:read offline_access' } } })
    move()
    await ping(connection)
    expect(scopesAskedOf(next)).toEqual(['notes:read'])
  })

  it('parallel requests: one reading, one login', async () => {
    const { connection, agent } = await at.login()
    move()
    const answers = await Promise.all([1, 2, 3, 4].map(() => ping(connection)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(agent.begun).toBe(1)
    expect(askedOf(at.server)).toEqual([document, document])
  })

  it('with nobody to ask: a login is asked for, and the refresh token stays here', async () => {
    const { connection } = await at.login({ interaction: 'never' })
    move()
    for (let time = 0; time < 3; time++) {
      await expect(ping(connection)).rejects.toMatchObject({
        code: 'interaction_required',
        interaction: { reason: 'login_ended' },
      })
    }
    expect(askedOf(at.server)).toEqual([document])
    expect(askedOf(next)).toEqual([])

    await expect(connection.token({ refresh: true })).rejects.toMatchObject({ code: 'interaction_required' })
    expect(spent()).toEqual([])
  })

  it('and whose token runs out after that: it is not refreshed at the old one either', async () => {
    const { connection, clock } = await at.login({ interaction: 'never' })
    move()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    await clock.advance(400_000)
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(spent()).toEqual([])
  })

  it('that moves back: the login that was kept is refreshed', async () => {
    const { connection, clock } = await at.login({ interaction: 'never' })
    move()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    lists(at.server, at.server)
    await clock.advance(60_000)
    expect((await ping(connection)).status).toBe(200)
    expect(spent()).toEqual(['r1'])
  })

  it('that another process has followed: its login is used, and refreshed where it came from', async () => {
    const { connection, store, clock } = await at.login({ interaction: 'never' })
    move()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'interaction_required' })
    next.refreshTokens.add('r9')
    await seedGrant(store, {
      url: at.server.url,
      tokens: { access_token: 'a9', token_type: 'Bearer', refresh_token: 'r9', issued_at: clock.now() },
      target: { issuer: next.issuer, token_endpoint: `${next.origin}/token` },
      record: { grant: 'of-another-process', turn: 7, got: 7 },
    })
    expect((await ping(connection)).status).toBe(200)
    expect(next.requests.map(({ path, body }) => [path, new URLSearchParams(body).get('refresh_token')])).toEqual([
      ['/token', 'r9'],
    ])
  })
})

describe('a refused token of a server that did not move', () => {
  it('is refreshed, after one look at the metadata', async () => {
    const { connection, agent } = await at.login()
    at.server.accessTokens.delete('a1')
    expect((await ping(connection)).status).toBe(200)
    expect(spent()).toEqual(['r1'])
    expect(agent.begun).toBe(0)
    expect(askedOf(at.server)).toEqual([document, 'POST /token'])
  })

  it('the metadata is looked at once a minute at most', async () => {
    const { connection, clock } = await at.login()
    const looks = async (): Promise<number> => {
      at.server.accessTokens.clear()
      await ping(connection)
      return askedOf(at.server).filter((request) => request === document).length
    }
    expect([await looks(), await looks()]).toEqual([1, 1])
    await clock.advance(60_000)
    expect(await looks()).toBe(2)
  })

  it.each([
    ['is not to be had', { status: 503 }],
    ['is gone', { status: 404 }],
    [
      'describes another resource',
      { json: { resource: 'https://evil.example', authorization_servers: ['https://x'] } },
    ],
    ['is a page', { body: '<html>' }],
  ])('metadata that %s proves nothing: the token is refreshed', async (_name, answer) => {
    const { connection } = await at.login()
    at.server.accessTokens.delete('a1')
    at.server.routes.resourceMetadata = answer
    expect((await ping(connection)).status).toBe(200)
    expect(spent()).toEqual(['r1'])
  })

  it('metadata that does not come holds the refresh up for five seconds', async () => {
    const { connection, clock } = await at.login()
    at.server.accessTokens.delete('a1')
    at.server.routes.resourceMetadata = { hang: true }
    const answered = ping(connection)
    await clock.asleep(5_000)
    expect(spent()).toEqual([])
    await clock.advance(5_000)
    expect((await answered).status).toBe(200)
    expect(spent()).toEqual(['r1'])
  })

  it('a caller that gives up meanwhile is let go', async () => {
    const { connection, clock } = await at.login()
    at.server.accessTokens.delete('a1')
    at.server.routes.resourceMetadata = { hang: true }
    const stop = new AbortController()
    const answered = ping(connection, { signal: stop.signal })
    const given = expect(answered).rejects.toMatchObject({ code: 'request_aborted' })
    await clock.asleep(5_000)
    stop.abort()
    await given
    await clock.advance(5_000)
  })

  it('a second authorization server beside the old one changes nothing', async () => {
    const { connection, agent } = await at.login()
    at.server.accessTokens.delete('a1')
    lists(at.server, next, at.server)
    expect((await ping(connection)).status).toBe(200)
    expect([spent(), agent.begun, askedOf(next)]).toEqual([['r1'], 0, []])
  })

  it('nor does a slash after the issuer, nor one that the host has pinned', async () => {
    const { connection } = await at.login()
    at.server.accessTokens.delete('a1')
    lists(at.server, `${at.server.issuer}/`)
    expect((await ping(connection)).status).toBe(200)

    const pinned = { listed: 'https://as.example', document: at.server.issuer }
    const other = await at.login({ compatibility: { trustIssuer: pinned } })
    at.server.refreshTokens.add('r1')
    at.server.accessTokens.clear()
    lists(at.server, pinned.listed)
    expect((await ping(other.connection)).status).toBe(200)
    expect(spent()).toEqual(['r1', 'r1'])
  })
})

describe('a client that was registered by hand, at a server that moved', () => {
  const seed = { client: { client_id: 'by-hand', origin: 'registered' } } as const
  const own = () => ({ issuer: at.server.issuer, clientId: 'by-hand', clientSecret: 'by-hand-secret' })

  it('does not move: the error names the setting, and nothing is sent to the new one', {
    tags: 'mcp-registration/by-hand-mismatch',
  }, async () => {
    const { connection } = await at.login({ seed, client: { registered: own() } })
    move()
    await expect(ping(connection)).rejects.toMatchObject({
      code: 'issuer_not_expected',
      step: 'discover',
      url: at.server.url,
      expected: at.server.issuer,
      received: next.issuer,
      hint: expect.stringContaining('client.registered'),
      action: 'fix_configuration',
    })
    expect(next.requests).toEqual([])
    expect(spent()).toEqual([])
  })

  it('the login that it has is kept', async () => {
    const { connection, record } = await at.login({ seed, client: { registered: own() } })
    const before = await record()
    move()
    await expect(ping(connection)).rejects.toMatchObject({ code: 'issuer_not_expected' })
    expect(await record()).toEqual(before)
  })

  it('moves where the host has one for the new issuer', async () => {
    const registered = [own(), { issuer: next.issuer, clientId: 'for-the-new-one' }]
    const { connection } = await at.login({ seed, client: { registered } })
    move()
    expect((await ping(connection)).status).toBe(200)
    expect(askedOf(next)).not.toContain('POST /register')
    for (const { url, body } of next.requests) expect(url + body).not.toContain('by-hand')
    expect(next.requests.find(({ path }) => path === '/authorize')?.query.get('client_id')).toBe('for-the-new-one')
  })

  it('moves where the host says to trust whatever is discovered', async () => {
    const registered = { issuer: trustDiscovered, clientId: 'x' } as const
    const { connection } = await at.login({ seed, client: { registered } })
    move()
    expect((await ping(connection)).status).toBe(200)
    expect(next.requests.find(({ path }) => path === '/authorize')?.query.get('client_id')).toBe('x')
  })
})
