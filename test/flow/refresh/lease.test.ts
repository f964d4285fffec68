import { clientCredentials, type Presence } from '@countersign/core'
import { describe, expect, it } from 'vitest'
import { type Lease, nothing } from '../../../packages/core/src/flow/grant.js'
import { ping } from '../../support/mcp-client.js'
import { refreshing } from '../../support/refreshing.js'
import { grantIn, putGrant } from '../../support/seeded.js'
import { START, settled, simulatedClock } from '../../support/simulated-clock.js'
import { soon } from '../../support/soon.js'

const world = refreshing()
const theirs: Lease = { id: 'theirs', holder: 'process 1', taken_at: START, lasts_ms: 90_000 }
const sent: Lease = { ...theirs, sent: true }
const expired = { issued_at: START - 600_000, expires_at: START - 300_000 }

/** Whether the process that holds the lease is still there; undefined: nobody knows. */
const presence = (alive: () => boolean | undefined): Presence => ({
  self: async () => 'me',
  alive: async () => alive(),
})

/** The clock of a process that is stopped for a while: what it sleeps through is missed. */
function stoppable() {
  const clock = simulatedClock()
  let missedMs = 0
  const { now, monotonic } = clock
  return {
    clock: Object.assign(clock, { now: () => now() + missedMs, monotonic: () => monotonic() + missedMs }),
    stop(ms: number) {
      missedMs += ms
    },
  }
}

/** How long a request waits until it sends the refresh token itself, in milliseconds. */
async function waited(lease: Lease, alive?: () => boolean | undefined): Promise<number> {
  const login = await world.login({
    tokens: expired,
    seed: { record: { lease, turn: 2 } },
    requestTimeoutMs: 1e9,
    ...(alive && { presence: presence(alive) }),
  })
  const asked = ping(login.connection)
  for (let ms = 0; ; ms += 250) {
    await Promise.race([asked, login.clock.asleep(250)])
    if (login.spent.length > 0) {
      expect((await asked).status).toBe(200)
      return ms
    }
    await login.clock.advance(250)
  }
}

describe("another process's lease", () => {
  it.each<[string, Lease, (() => boolean | undefined) | undefined, number]>([
    ['not marked sent: nothing can be lost by replacing it', theirs, () => true, 3_000],
    ['marked sent, its holder gone', sent, () => false, 0],
    ['marked sent, nobody can say whether its holder is there: as long as it lasts', sent, () => undefined, 90_000],
    ['marked sent, without presence: as long as it lasts', sent, undefined, 90_000],
    ['marked sent, by nobody: as long as it lasts', { ...sent, holder: '' }, () => true, 90_000],
    ['marked sent eleven minutes ago, nobody can say', { ...sent, taken_at: START - 660_000 }, () => undefined, 0],
  ])('%s', async (_name, lease, alive, expected) => {
    expect(await waited(lease, alive)).toBe(expected)
  })

  it('marked sent is respected for as long as its holder is there', async () => {
    let alive = true
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => alive),
      requestTimeoutMs: 1e9,
    })
    const asked = ping(login.connection)
    for (let ms = 0; ms < 100_000; ms += 250) {
      await login.clock.asleep(250)
      await login.clock.advance(250)
    }
    expect(login.spent).toEqual([])
    alive = false
    await login.clock.asleep(250)
    await login.clock.advance(250)
    expect((await asked).status).toBe(200)
    expect(login.spent).toEqual(['r1'])
    expect(login.seen.types).toEqual(['lease_waited', 'lease_taken_over', 'refreshed'])
  })

  it('is waited for as long as it is watched: a time in which the one who waits was stopped itself does not count', async () => {
    const { clock, stop } = stoppable()
    const login = await world.login({ tokens: expired, seed: { record: { lease: sent, turn: 2 } }, clock })
    const asked = ping(login.connection).catch((error) => error.code)
    await clock.asleep(250)
    stop(240_000)
    await clock.advance(60_000)
    expect(await asked).toBe('refresh_pending')
    expect(login.spent).toEqual([])
    await clock.advance(30_000)
    await soon(() => login.spent).toEqual(['r1'])
  })

  it('that replaced our own while we were sending: a refusal then says that an answer was lost', async () => {
    const login = await world.login({ tokens: expired, interaction: 'explicit' })
    world.server.accessTokens.delete('a1')
    world.server.routes.token = async () => {
      const now = (await login.record()) ?? nothing
      await putGrant(login.store, { ...now, turn: now.turn + 1, lease: sent, unanswered: 1 }, world.server.url)
      return { status: 400, json: { error: 'invalid_grant' } }
    }
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'interaction_required' })
    expect(login.seen.types).toEqual(['rotation_lost'])
  })

  it('that was taken over after it was sent: there is no second prompt retry for its token', async () => {
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => false),
    })
    world.server.routes.token = { status: 500 }
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'refresh_outcome_unknown' })
    expect(login.spent).toEqual(['r1'])
    expect(await login.record()).toMatchObject({ unanswered: 2 })
  })

  it('is not waited for by those who have a valid access token', async () => {
    const login = await world.login({ seed: { record: { lease: sent, turn: 2 } } })
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.clock.sleeping).toEqual([])
  })

  it('is not waited for by those whose access token is about to expire, and still has life left', async () => {
    const login = await world.login({
      tokens: { issued_at: START - 290_000, expires_at: START + 10_000 },
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
    })
    expect((await ping(login.connection)).status).toBe(200)
    expect((await login.connection.token()).accessToken).toBe('a1')
    expect(login.spent).toEqual([])
    expect(login.seen.types).toEqual([])
    expect(login.clock.sleeping).toEqual([])
    await bring(login, { turn: 2, got: 2 })
    expect((await login.connection.token()).accessToken).toBe('a2')
  })

  it('is not waited for either where it is for tokens without a person', async () => {
    const { issuer } = world.server
    const login = await world.login({
      tokens: { issued_at: START - 290_000, expires_at: START + 10_000 },
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
      credentials: clientCredentials({ issuer, clientId: 'job', clientSecret: 'secret' }),
    })
    expect((await ping(login.connection)).status).toBe(200)
    expect((await login.connection.token()).accessToken).toBe('a1')
    expect(login.spent).toEqual([])
    expect(login.clock.sleeping).toEqual([])
  })

  it('is waited for again as soon as somebody cannot do with the token that is left', async () => {
    const login = await world.login({
      tokens: { issued_at: START - 290_000, expires_at: START + 10_000 },
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
    })
    const [served, needy] = [login.connection.token(), login.connection.token({ refresh: true })]
    expect((await served).accessToken).toBe('a1')
    await login.clock.asleep(250)
    expect((await login.connection.token()).accessToken).toBe('a1')
    await bring(login, { turn: 2, got: 2 })
    await login.clock.advance(250)
    expect((await needy).accessToken).toBe('a2')
    expect(login.spent).toEqual([])
  })

  it('is not waited for where the record has newer tokens already', async () => {
    const login = await world.login({ tokens: expired, presence: presence(() => true) })
    await login.connection.token().catch(() => undefined)
    world.server.accessTokens.add('a9')
    const now = await grantIn(login.store, world.server.url)
    if (now?.phase !== 'valid') throw new Error('no login')
    const tokens = { ...now.granted.tokens, access_token: 'a9', expires_at: START + 300_000 }
    const newer = { ...now, turn: 9, got: 8, lease: sent, granted: { ...now.granted, tokens } }
    await putGrant(login.store, newer, world.server.url)
    expect((await login.connection.token({ refresh: true })).accessToken).toBe('a9')
    expect(login.clock.sleeping).toEqual([])
  })

  it('is not waited for where the token endpoint is to be left alone', async () => {
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2, retry_at: START + 60_000 } },
    })
    await expect(ping(login.connection)).rejects.toMatchObject({ code: 'server_unavailable', retryAt: START + 60_000 })
    expect(login.clock.sleeping).toEqual([])
  })

  it('says so when it is taken over, sent or not', async () => {
    for (const lease of [theirs, sent]) {
      const login = await world.login({
        tokens: expired,
        seed: { record: { lease, turn: 2 } },
        presence: presence(() => false),
      })
      world.server.refreshTokens.add('r1')
      const asked = ping(login.connection)
      for (let done = false; !done; ) {
        done = await Promise.race([asked.then(() => true), settled().then(() => false)])
        if (!done) await login.clock.advance(250)
      }
      expect(login.seen.types.filter((type) => type !== 'lease_waited')).toEqual(['lease_taken_over', 'refreshed'])
    }
  })

  it('that brings new tokens: they are adopted, and nothing is sent', async () => {
    const login = await world.login({ tokens: expired, seed: { record: { lease: sent, turn: 2 } } })
    const asked = ping(login.connection)
    await login.clock.asleep(250)
    await bring(login, { turn: 2, got: 2 })
    await login.clock.advance(250)
    expect((await asked).status).toBe(200)
    expect(login.spent).toEqual([])
    expect(login.seen.types).toEqual(['lease_waited', 'adopted'])
  })

  it('keeps a caller waiting for 45 seconds, and then the caller is told; the wait goes on', async () => {
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
    })
    const asked = ping(login.connection).catch((error) => error.code)
    await login.clock.asleep(250)
    await login.clock.advance(45_000)
    expect(await asked).toBe('refresh_pending')
    await bring(login, { turn: 2, got: 2 })
    await login.clock.advance(250)
    await soon(() => login.connection.getSnapshot().refreshing).toBe(false)
    expect((await ping(login.connection)).status).toBe(200)
    expect(login.spent).toEqual([])
  })

  it('keeps a request waiting for 45 seconds in all, however often it waits', async () => {
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
    })
    const asked = ping(login.connection).catch((error) => error.code)
    await login.clock.asleep(250)
    await login.clock.advance(30_000)
    await bring(login, { turn: 2, got: 2 })
    world.server.accessTokens.delete('a2')
    const now = await grantIn(login.store, world.server.url)
    await putGrant(login.store, { ...(now ?? nothing), lease: { ...sent, id: 'theirs again' } }, world.server.url)
    await login.clock.advance(250)
    await login.clock.asleep(250)
    await login.clock.advance(14_500)
    expect(login.clock.sleeping).toContain(250)
    await login.clock.advance(500)
    expect(await asked).toBe('refresh_pending')
    // The wait goes on, until there is nothing to wait for.
    await bring(login, { turn: 3, got: 3 })
    await login.clock.advance(250)
    expect(login.spent).toEqual([])
  })

  it('keeps a caller waiting that was stopped itself for a little longer: what it waited for may have come meanwhile', async () => {
    const { clock, stop } = stoppable()
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
      clock,
    })
    const asked = ping(login.connection)
    await clock.asleep(250)
    stop(100_000)
    await clock.advance(45_000)
    await clock.asleep(4_000)
    await bring(login, { turn: 2, got: 2 })
    await clock.advance(250)
    expect((await asked).status).toBe(200)
    expect(clock.sleeping).toEqual([])
  })

  it('keeps nobody from closing', async () => {
    const login = await world.login({
      tokens: expired,
      seed: { record: { lease: sent, turn: 2 } },
      presence: presence(() => true),
    })
    const asked = expect(ping(login.connection)).rejects.toMatchObject({ code: 'connector_closed' })
    await login.clock.asleep(250)
    const closed = login.connector.close()
    await login.clock.advance(250)
    await closed
    await asked
    expect(login.clock.sleeping).toEqual([])
  })

  async function bring(login: Awaited<ReturnType<typeof world.login>>, turns: { turn: number; got: number }) {
    world.server.accessTokens.add('a2')
    const now = await grantIn(login.store, world.server.url)
    if (now?.phase !== 'valid') throw new Error('no login')
    const { lease: _, ...rest } = now
    const tokens = { access_token: 'a2', token_type: 'Bearer', refresh_token: 'r2', issued_at: 0 } as const
    await putGrant(login.store, { ...rest, ...turns, granted: { ...now.granted, tokens } }, world.server.url)
  }
})

describe('several connectors over one store', () => {
  it('that all find the token expired: one sends it, the others adopt what it brings', async () => {
    const login = await world.login({ tokens: expired })
    const others = [1, 2, 3, 4].map(() => login.another())
    const all = Promise.all([login.connection, ...others].map((connection) => ping(connection)))
    for (let done = false; !done; ) {
      done = await Promise.race([all.then(() => true), settled().then(() => false)])
      if (!done) await login.clock.advance(250)
    }
    expect((await all).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(login.spent).toEqual(['r1'])
  })

  it('of which one has the newer tokens in its memory: an older record does not bring the old ones back', async () => {
    const login = await world.login()
    const other = login.another()
    await other.token()
    const { accessToken } = await login.connection.token({ refresh: true })
    expect((await other.token({ refresh: true })).accessToken).toBe(accessToken)
    expect(login.spent).toEqual(['r1'])
  })
})
