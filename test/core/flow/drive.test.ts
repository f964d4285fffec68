import { describe, expect, test } from 'vitest'
import { type Attempt, type AttemptEvent, attempt } from '../../../packages/core/src/flow/attempt.js'
import { drive, type Handlers } from '../../../packages/core/src/flow/drive.js'
import {
  attempts,
  client,
  device,
  error,
  granted,
  redirect,
  request,
  target,
  tokens,
  unattended,
} from './login-fixtures.js'

const code: AttemptEvent = { type: 'code_received', state: 'S', code: 'k' }

/** A world in which every step goes well. */
const handlers = (odd: Partial<Handlers> = {}): Handlers => ({
  discover: async () => ({ type: 'target_discovered', target }),
  register: async () => ({ type: 'client_ready', client }),
  prepare: async () => ({ type: 'request_prepared', pending: redirect }),
  present: async () => code,
  exchange: async () => ({ type: 'tokens_issued', tokens }),
  acquire: async () => ({ type: 'tokens_issued', tokens }),
  poll: async () => ({ type: 'tokens_issued', tokens }),
  ...odd,
})

async function run(from: Attempt, odd?: Partial<Handlers>) {
  const saved: Attempt[] = []
  const end = await drive(from, handlers(odd), async (state) => void saved.push(state))
  return { end, trace: saved.map(({ phase }) => phase).join(' > ') }
}

describe('drive: the one loop', () => {
  test('an answer that comes at once goes from the challenge to the tokens', async () => {
    const { end, trace } = await run(attempts.discovering)
    expect(trace).toBe('discovering > registering > preparing > authorizing > exchanging > granted')
    expect(end).toEqual({ phase: 'granted', granted })
  })

  test('a login that is parked, stored and resumed in another process comes to the same, by the same way', async () => {
    const atOnce = await run(attempts.discovering)
    const parked = await run(attempts.discovering, { present: async () => 'parked' })
    expect(parked.end.phase).toBe('authorizing')
    const stored = JSON.stringify(parked.end)
    const resumed = await run(attempt(JSON.parse(stored), code))
    expect(resumed.end).toEqual(atOnce.end)
    expect(`${parked.trace} > ${resumed.trace}`).toBe(atOnce.trace)
  })

  test('a device authorization is polled', async () => {
    const { end, trace } = await run(attempts.discovering, {
      prepare: async () => ({ type: 'request_prepared', pending: device }),
    })
    expect(trace).toBe('discovering > registering > preparing > polling > granted')
    expect(end).toEqual({ phase: 'granted', granted })
  })

  test('without a person there is no page', async () => {
    const { trace } = await run({ phase: 'discovering', request: unattended })
    expect(trace).toBe('discovering > registering > acquiring > granted')
  })

  test('a client that was forgotten is registered again, once', async () => {
    const { end, trace } = await run(attempts.discovering, { exchange: async () => ({ type: 'client_forgotten' }) })
    const round = 'registering > preparing > authorizing > exchanging'
    expect(trace).toBe(`discovering > ${round} > ${round} > failed`)
    expect(end).toMatchObject({ error: { code: 'client_forgotten' }, request: { registered_again: true } })
  })

  test('a step that fails ends it', async () => {
    const { end, trace } = await run(attempts.discovering, { register: async () => ({ type: 'step_failed', error }) })
    expect(trace).toBe('discovering > registering > failed')
    expect(end).toEqual({ phase: 'failed', request, error })
  })

  test('every state is saved before its command runs', async () => {
    const order: string[] = []
    await drive(
      attempts.preparing,
      handlers({
        present: async () => {
          order.push('present')
          return 'parked'
        },
      }),
      async ({ phase }) => void order.push(`save ${phase}`),
    )
    expect(order).toEqual(['save preparing', 'save authorizing', 'present'])
  })

  test('a state that cannot be saved is not acted on', async () => {
    const full = new Error('disk full')
    const never = async (): Promise<AttemptEvent> => expect.unreachable('nothing may be sent')
    const driven = drive(attempts.discovering, handlers({ discover: never }), () => Promise.reject(full))
    await expect(driven).rejects.toBe(full)
  })

  test('an answer that a state does not accept is a defect, not a loop', async () => {
    const driven = run(attempts.authorizing, { present: async () => ({ ...code, state: 'EVIL' }) })
    await expect(driven).rejects.toMatchObject({
      code: 'unexpected',
      step: 'authorizing',
      received: 'code_received in authorizing',
    })
  })

  test('what a handler throws is thrown', async () => {
    const broken = new TypeError('a port is broken')
    await expect(run(attempts.discovering, { discover: () => Promise.reject(broken) })).rejects.toBe(broken)
  })
})
