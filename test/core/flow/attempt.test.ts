import { describe, expect, test } from 'vitest'
import {
  type Attempt,
  type AttemptEvent,
  attempt,
  attemptCommands,
  storable,
} from '../../../packages/core/src/flow/attempt.js'
import { edgeTable, reachable, written } from '../../support/edges.js'
import { attempts, client, device, error, granted, redirect, request, target, tokens } from './login-fixtures.js'

const events = {
  target_discovered: { type: 'target_discovered', target },
  client_ready: { type: 'client_ready', client },
  client_not_needed: { type: 'client_not_needed' },
  'request_prepared, redirect': { type: 'request_prepared', pending: redirect },
  'request_prepared, device': { type: 'request_prepared', pending: device },
  'code_received, own state': { type: 'code_received', state: 'S', code: 'k' },
  'code_received, other state': { type: 'code_received', state: 'EVIL', code: 'k' },
  tokens_issued: { type: 'tokens_issued', tokens },
  client_forgotten: { type: 'client_forgotten' },
  step_failed: { type: 'step_failed', error },
} as const satisfies Record<string, AttemptEvent>

describe('the attempt: one sign-in, from the challenge to the tokens', () => {
  test('what each event leads to; whatever is not listed changes nothing', () => {
    expect(edgeTable<Attempt, AttemptEvent>(attempts, events, attempt)).toBe(
      written(`
        discovering                  | target_discovered          | registering
        discovering                  | step_failed                | failed
        registering                  | client_ready               | preparing
        registering                  | step_failed                | failed
        registering, nobody there    | client_ready               | acquiring
        registering, nobody there    | client_not_needed          | acquiring
        registering, nobody there    | step_failed                | failed
        acquiring                    | tokens_issued              | granted
        acquiring                    | client_forgotten           | registering
        acquiring                    | step_failed                | failed
        acquiring, no client         | tokens_issued              | granted
        acquiring, no client         | client_forgotten           | registering
        acquiring, no client         | step_failed                | failed
        preparing                    | request_prepared, redirect | authorizing
        preparing                    | request_prepared, device   | polling
        preparing                    | client_forgotten           | registering
        preparing                    | step_failed                | failed
        authorizing                  | code_received, own state   | exchanging
        authorizing                  | step_failed                | failed
        exchanging                   | tokens_issued              | granted
        exchanging                   | client_forgotten           | registering
        exchanging                   | step_failed                | failed
        exchanging, registered twice | tokens_issued              | granted
        exchanging, registered twice | client_forgotten           | failed
        exchanging, registered twice | step_failed                | failed
        polling                      | tokens_issued              | granted
        polling                      | client_forgotten           | registering
        polling                      | step_failed                | failed`),
    )
  })

  test('an event that a state does not accept gives back the very same object', () => {
    for (const ended of [attempts.granted, attempts.failed]) {
      for (const event of Object.values(events)) expect(attempt(ended, event)).toBe(ended)
    }
    expect(attempt(attempts.authorizing, events['code_received, other state'])).toBe(attempts.authorizing)
    expect(attempt(attempts.registering, events.client_not_needed)).toBe(attempts.registering)
  })

  test('no state is changed in place', () => {
    for (const state of Object.values(attempts)) {
      const before = structuredClone(state)
      for (const event of Object.values(events)) attempt(state, event)
      expect(state).toEqual(before)
    }
  })

  test('every state is JSON, so that any process can go on with it', () => {
    for (const state of Object.values(attempts)) expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })

  test('every phase can be reached', () => {
    const phases = [...new Set(Object.values(attempts).map(({ phase }) => phase))].sort()
    expect(phases).toEqual(Object.keys(attemptCommands).sort())
    const persons = reachable<Attempt, AttemptEvent>(attempts, events, attempt, 'discovering')
    expect(persons).toEqual(phases)
  })

  test('only what waits for a person is stored: a code is single use', () => {
    const stored = Object.entries(attempts).filter(([, state]) => storable(state))
    expect(stored.map(([name]) => name)).toEqual(['authorizing', 'polling'])
  })

  test('what runs next is a function of the state alone', () => {
    expect(attemptCommands).toEqual({
      discovering: 'discover',
      registering: 'register',
      acquiring: 'acquire',
      preparing: 'prepare',
      authorizing: 'present',
      exchanging: 'exchange',
      polling: 'poll',
      granted: undefined,
      failed: undefined,
    })
  })
})

describe('a client that the server has forgotten', () => {
  test('is registered once again, with nothing of the first try kept but what was discovered', () => {
    expect(attempt(attempts.exchanging, { type: 'client_forgotten' })).toEqual({
      phase: 'registering',
      request: { ...request, registered_again: true },
      target,
    })
  })

  test('ends the attempt the second time', () => {
    expect(attempt(attempts['exchanging, registered twice'], { type: 'client_forgotten' })).toMatchObject({
      phase: 'failed',
      error: { code: 'client_forgotten', step: 'register' },
    })
  })
})

test('a sign-in hands over all that its tokens belong to', () => {
  expect(attempt(attempts.exchanging, { type: 'tokens_issued', tokens })).toEqual({ phase: 'granted', granted })
  expect(attempt(attempts['acquiring, no client'], { type: 'tokens_issued', tokens })).not.toHaveProperty(
    'granted.client',
  )
})
