import { type ConnectorOptions, CountersignError, memoryStore, type Store } from '@countersign/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Ask, acquire } from '../../packages/core/src/flow/acquire-transaction.js'
import type { Granted } from '../../packages/core/src/flow/attempt.js'
import { ConnectionCore } from '../../packages/core/src/flow/connection-core.js'
import { nothing } from '../../packages/core/src/flow/grant.js'
import { createRuntime } from '../../packages/core/src/flow/runtime.js'
import { signOut } from '../../packages/core/src/flow/sign-out.js'
import type { Tokens } from '../../packages/core/src/messages/token-response.js'
import { client, target, unattended } from '../core/flow/login-fixtures.js'
import { collector } from '../support/collector.js'
import { onDemand } from '../support/refreshing.js'
import { grantIn, putGrant } from '../support/seeded.js'
import { type SimulatedClock, START, settled, simulatedClock } from '../support/simulated-clock.js'

const { url } = unattended

/** Several processes of one application, over one store, that want tokens without a person. */
function processes(count: number, more: ConnectorOptions = {}) {
  const clock = simulatedClock()
  const store = more.store ?? memoryStore(() => clock.now())
  const seen = collector()
  const cores = Array.from({ length: count }, () => {
    const runtime = createRuntime({ appId: 'test', clock, log: seen.log, ...more, store })
    onTestFinished(() => {
      runtime.closed = true
    })
    return new ConnectionCore(runtime, url, undefined, {}, {})
  })
  const [first] = cores as [ConnectionCore]
  return { clock, store, seen, cores, first, grant: () => grantIn(store, url) }
}

/** What a server gives to a client that asks for itself. */
function granted(clock: SimulatedClock, more: Partial<Tokens> = {}): Granted {
  const issued_at = clock.now()
  const tokens = {
    access_token: 'a1',
    token_type: 'Bearer',
    issued_at,
    expires_at: issued_at + 300_000,
    ...more,
  } as const
  return { request: unattended, target, client, tokens }
}

/** Moves the time until something is done. */
async function until<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  const done = work.then(() => true)
  done.catch(() => undefined)
  while (!(await Promise.race([done.catch(() => true), settled().then(() => false)]))) await clock.advance(250)
  return work
}

describe('tokens without a person', () => {
  it('eight processes that start at once ask once, and the others adopt what it brings', async () => {
    const { clock, cores, seen, grant } = processes(8)
    let asked = 0
    const ask: Ask = async () => {
      asked++
      await clock.sleep(1_000)
      return granted(clock)
    }
    const outcomes = await until(clock, Promise.all(cores.map((core) => acquire(core, nothing, ask))))
    expect(asked).toBe(1)
    expect(outcomes.sort()).toEqual(['acquired', ...Array(7).fill('adopted')])
    expect(cores.map((core) => core.held.known)).toEqual(Array(8).fill(await grant()))
    expect(seen.types.filter((type) => type === 'acquired' || type === 'adopted').length).toBe(8)
  })

  it('eight processes whose token has expired ask once more', async () => {
    const { clock, cores } = processes(8)
    let asked = 0
    const ask: Ask = async () => granted(clock, { access_token: `a${++asked}` })
    await until(clock, Promise.all(cores.map((core) => acquire(core, nothing, ask))))
    const had = cores.map((core) => core.held.known ?? nothing)
    await clock.advance(400_000)
    await until(clock, Promise.all(cores.map((core, i) => acquire(core, had[i] ?? nothing, ask))))
    expect(asked).toBe(2)
  })

  it('puts the lease on the empty record before the server is asked', async () => {
    const { first, clock, grant } = processes(1)
    await acquire(first, nothing, async () => {
      expect(await grant()).toMatchObject({ phase: 'absent', turn: 1, got: 0, lease: { sent: true, lasts_ms: 90_000 } })
      return granted(clock)
    })
    expect(await grant()).toMatchObject({
      phase: 'valid',
      turn: 1,
      got: 1,
      granted: { tokens: { access_token: 'a1' } },
    })
    expect(await grant()).not.toHaveProperty('lease')
  })

  it('a refusal gives the lease back, keeps what was there, and the next one asks for itself', async () => {
    const { clock, cores, grant, first } = processes(2)
    await acquire(first, nothing, async () => granted(clock))
    const had = await grant()
    const refusal = new CountersignError('token_request_rejected', { step: 'acquire' })
    const refuse: Ask = () => Promise.reject(refusal)
    for (const core of cores) await expect(acquire(core, had ?? nothing, refuse)).rejects.toBe(refusal)
    const { lease, turn, ...kept } = (await grant()) ?? nothing
    expect({ ...kept, turn: 1 }).toEqual(had)
    expect({ lease, turn }).toEqual({ lease: undefined, turn: 3 })
  })

  it.each([
    ['for five seconds', new CountersignError('network_error', { step: 'acquire' }), 5_000],
    [
      'as long as it says',
      new CountersignError('server_unavailable', { step: 'acquire', retryAt: START + 60_000 }),
      60_000,
    ],
  ])('a server that cannot answer is left alone %s, by every process', async (_name, failure, ms) => {
    const { clock, cores, first } = processes(2)
    await expect(acquire(first, nothing, () => Promise.reject(failure))).rejects.toBe(failure)
    const never: Ask = async () => expect.unreachable('the server was asked too early')
    for (const core of cores) {
      const error = { code: 'server_unavailable', step: 'acquire', retryAt: START + ms }
      await expect(acquire(core, nothing, never)).rejects.toMatchObject(error)
    }
    await clock.advance(ms)
    expect(await acquire(first, nothing, async () => granted(clock))).toBe('acquired')
  })

  it('a server that cannot answer the next time either is left alone for longer', async () => {
    const { clock, first, grant } = processes(1)
    const failure = new CountersignError('network_error', { step: 'acquire' })
    for (const ms of [5_000, 20_000, 20_000]) {
      await expect(acquire(first, nothing, () => Promise.reject(failure))).rejects.toBe(failure)
      expect(await grant()).toMatchObject({ retry_at: clock.now() + ms })
      await clock.advance(ms)
    }
  })

  it('a server that never answers is given up with the lease', async () => {
    const { clock, first, grant } = processes(1)
    let stopped = false
    const silent: Ask = (signal) => {
      signal.addEventListener('abort', () => {
        stopped = true
      })
      return new Promise(() => undefined)
    }
    const asked = expect(acquire(first, nothing, silent)).rejects.toMatchObject({ code: 'request_timeout' })
    await clock.asleep(90_000)
    await clock.advance(90_000)
    await asked
    expect(stopped).toBe(true)
    expect(await grant()).not.toHaveProperty('lease')
  })

  it('a holder that is gone is replaced at once', async () => {
    const presence = { self: async () => 'me', alive: async () => false }
    const { clock, first, store, seen } = processes(1, { presence })
    const lease = { id: 'theirs', holder: 'gone', taken_at: START, lasts_ms: 90_000, sent: true } as const
    await putGrant(store, { ...nothing, turn: 1, lease }, url)
    expect(await acquire(first, nothing, async () => granted(clock))).toBe('acquired')
    expect(seen.types).toEqual(['acquired'])
  })

  it('a sign-out meanwhile ends it, and what came late is revoked', async () => {
    const revoked: (string | null)[] = []
    const { clock, cores, grant, first } = processes(2, {
      oauthFetch: async (_url, init) => {
        revoked.push(new URLSearchParams(String(init?.body)).get('token'))
        return new Response()
      },
    })
    const answer = onDemand<Granted>()
    const asked = acquire(first, nothing, answer.route)
    await answer.asked
    await signOut(cores[1] as ConnectionCore, false)
    const late = granted(clock, { refresh_token: 'r1' })
    answer.answer({ ...late, target: { ...target, revocation_endpoint: 'https://as.example/revoke' } })
    expect(await asked).toBe('ended')
    expect(await grant()).toMatchObject({ phase: 'absent' })
    expect(await grant()).not.toHaveProperty('replaced')
    expect(revoked).toEqual(['r1'])
  })

  it('a sign-out while it waits ends it, and nothing is asked', async () => {
    const { clock, cores, first } = processes(2)
    const answer = onDemand<Granted>()
    const asked = acquire(first, nothing, answer.route)
    await answer.asked
    const waiting = acquire(cores[1] as ConnectionCore, nothing, async () => expect.unreachable('asked'))
    await clock.asleep(250)
    await signOut(first, false)
    expect(await until(clock, waiting)).toBe('ended')
    answer.answer(granted(clock))
    expect(await asked).toBe('ended')
  })

  it('closing gives it up, and gives the lease back', async () => {
    const { first, grant } = processes(1)
    const closing = new AbortController()
    const answer = onDemand<Granted>()
    const asked = expect(acquire(first, nothing, answer.route, closing.signal)).rejects.toMatchObject({
      code: 'connector_closed',
    })
    await answer.asked
    closing.abort()
    await asked
    expect(await grant()).toMatchObject({ phase: 'absent', turn: 1, got: 0 })
    expect(await grant()).not.toHaveProperty('lease')
  })

  it('a store that does not take the tokens: they serve from memory until it does', async () => {
    const inner = memoryStore(() => START)
    let refuses = false
    const store: Store = {
      name: 'refusing',
      get: inner.get,
      keys: inner.keys,
      replace: (...args) => (refuses ? Promise.reject(new Error('disk full')) : inner.replace(...args)),
    }
    const { clock, first, grant, seen } = processes(1, { store })
    const ask: Ask = async () => {
      refuses = true
      return granted(clock)
    }
    expect(await acquire(first, nothing, ask)).toBe('acquired')
    expect(first.held.known).toMatchObject({ granted: { tokens: { access_token: 'a1' } } })
    expect(await grant()).toMatchObject({ phase: 'absent' })
    expect(seen.types).toEqual(['kept', 'acquired'])
    refuses = false
    await clock.advance(1_000)
    expect(await grant()).toMatchObject({ phase: 'valid', granted: { tokens: { access_token: 'a1' } } })
  })
})
