import { CountersignError } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { networkFailure, neverSent } from '../../../packages/core/src/http/network-failure.js'
import { retryAfter } from '../../../packages/core/src/http/retry-after.js'
import { door, fetchFailed } from './door.js'

describe('whether a request may have reached the server', () => {
  test.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])(
    '%s: no connection came about, it was never sent',
    (code) => {
      expect(neverSent(networkFailure('refresh', 'https://as.example/token', fetchFailed(code)))).toBe(true)
    },
  )

  test.each(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'ETIMEDOUT'])(
    '%s: the connection was there, so it may have been',
    (code) => {
      expect(neverSent(networkFailure('refresh', 'https://as.example/token', fetchFailed(code)))).toBe(false)
    },
  )

  test('one address of several refused, the others not: the first says how it was', () => {
    const each = [fetchFailed('ECONNREFUSED').cause, fetchFailed('ECONNREFUSED').cause]
    const both = new TypeError('fetch failed', { cause: new AggregateError(each) })
    expect(neverSent(networkFailure('refresh', 'https://as.example/token', both))).toBe(true)
  })

  test('nobody knows why: it may have been', () => {
    expect(neverSent(networkFailure('refresh', 'https://as.example/token', new TypeError('Failed to fetch')))).toBe(
      false,
    )
    expect(neverSent(new CountersignError('request_timeout', { step: 'refresh' }))).toBe(false)
    expect(neverSent(new Error('something else'))).toBe(false)
  })

  test('our own policy kept it back: it was never sent', async () => {
    const { send } = door(() => expect.unreachable('nothing may be sent'))
    const error = await send({ url: 'http://as.example/' }).catch((thrown) => thrown)
    expect(neverSent(error)).toBe(true)
  })

  test('a hook of the host’s that knows better says so itself; the step is the one that asked', async () => {
    const known = new CountersignError('cross_origin_blocked', {
      step: 'fetch',
      url: 'https://as.example/token',
      expected: 'Access-Control-Allow-Origin',
      hint: 'Ask the operator.',
    })
    const { send } = door(() => Promise.reject(known))
    const { message, step, ...rest } = await send({}).catch((thrown) => thrown)
    expect(step).toBe('exchange')
    expect(rest).toMatchObject({ code: 'cross_origin_blocked', expected: known.expected, hint: known.hint })
    expect(message).toBe(known.message.replace('fetch:', 'exchange:'))
    expect(neverSent(rest)).toBe(false)
  })

  test('a real connection that is refused is told from one that is cut', async () => {
    const { startScriptableServer } = await import('../../servers/index.js')
    const server = await startScriptableServer(() => ({ destroy: true }))
    const ask = (): Promise<unknown> =>
      fetch(server.origin).catch((thrown) => networkFailure('refresh', server.origin, thrown))
    expect(neverSent(await ask())).toBe(false)
    await server.close()
    expect(neverSent(await ask())).toBe(true)
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1)

  test.each([
    ['120', now + 120_000],
    [' 0 ', now],
    ['Thu, 01 Jan 2026 00:01:00 GMT', now + 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', now],
    ['999999999', now + 86_400_000],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j', (header, expected) => {
    expect(retryAfter(header, now)).toBe(expected)
  })
})
