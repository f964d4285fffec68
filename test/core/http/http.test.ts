import { CountersignError } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { recordingFetch } from '../../support/sent.js'
import { door, fetchFailed, url } from './door.js'

const megabyte = 1_048_576
const streamed = (...chunks: readonly (string | Uint8Array)[]): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) {
          controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk)
        }
        controller.close()
      },
    }),
  )

describe('a request', () => {
  test('goes out once, as it is, and asks for JSON', async () => {
    const { fetch, sent } = recordingFetch(async () => new Response('{}'))
    await door(fetch).send({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' })
    expect(sent).toMatchObject([{ method: 'POST', url: new URL(url), body: 'a=1' }])
    expect(Object.fromEntries(sent[0]?.headers ?? [])).toEqual({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    })
  })

  test('lets no redirect be followed behind its back', async () => {
    let asked: RequestInit | undefined
    await door(async (_url, init) => {
      asked = init
      return new Response()
    }).send()
    expect(asked?.redirect).toBe('manual')
  })

  test.each([200, 204, 400, 401, 404, 500, 503])('gets its answer, whatever the status: %i', async (status) => {
    const answer = await door(async () => new Response(null, { status, headers: { 'x-a': 'b' } })).send()
    expect([answer.status, answer.text, answer.headers.get('x-a')]).toEqual([status, '', 'b'])
  })

  test.each([
    ['http://as.example/token', 'scheme is not https'],
    ['ftp://as.example/token', 'scheme is not https'],
    ['https://user:pw@as.example/', 'user information in the URL'],
    ['https://169.254.169.254/token', 'a private address, named by a public server'],
    ['http://127.0.0.1/token', 'a loopback address, named by a public server'],
    ['nonsense', 'not a URL'],
  ])(
    'never leaves for %s',
    {
      tags: [
        'mcp-security/https',
        'mcp-practices/ssrf',
        'mcp-practices/ssrf-https',
        'mcp-practices/ssrf-private-addresses',
      ],
    },
    async (bad, received) => {
      const { send, traced } = door(() => expect.unreachable('nothing may be sent'))
      await expect(send({ url: bad })).rejects.toMatchObject({ code: 'url_not_allowed', step: 'exchange', received })
      expect(traced).toEqual([])
    },
  )

  test('is traced with its status, and without its query', async () => {
    const { send, traced, clock } = door(async () => new Response(null, { status: 400 }))
    await send()
    expect(traced).toEqual([
      {
        at: clock.now(),
        step: 'exchange',
        method: 'POST',
        url: 'https://as.example/token',
        durationMs: 0,
        status: 400,
      },
    ])
  })
})

describe('a body', () => {
  test('may have a megabyte', async () => {
    const { send } = door(async () => new Response('x'.repeat(megabyte)))
    expect((await send()).text).toHaveLength(megabyte)
  })

  test('that has more is not read to its end', async () => {
    let read = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        read++
        controller.enqueue(new Uint8Array(100_000))
      },
    })
    await expect(door(async () => new Response(endless)).send()).rejects.toMatchObject({
      code: 'response_too_large',
      step: 'exchange',
      url: 'https://as.example/token',
      expected: 'at most 1048576 bytes',
    })
    expect(read).toBeLessThan(15)
  })

  test('counts in bytes, not in characters', async () => {
    const { send } = door(async () => new Response('ü'.repeat(megabyte / 2 + 1)))
    await expect(send()).rejects.toMatchObject({ code: 'response_too_large' })
  })

  test('is UTF-8, also where a character is cut in two', async () => {
    const [one, two] = [new Uint8Array([0xc3]), new Uint8Array([0xbc])]
    expect((await door(async () => streamed('gr', one, two, 'n')).send()).text).toBe('grün')
  })

  test('that breaks off is no answer', async () => {
    const broken = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('{"access_'))
        controller.error(new TypeError('terminated', { cause: { code: 'UND_ERR_SOCKET' } }))
      },
    })
    await expect(door(async () => new Response(broken)).send()).rejects.toMatchObject({
      code: 'network_error',
      received: 'terminated (UND_ERR_SOCKET)',
    })
  })

  test('that does not end is ended by the deadline', async () => {
    const { send, clock } = door(async () => new Response(new ReadableStream()))
    const ended = expect(send()).rejects.toMatchObject({ code: 'request_timeout' })
    await clock.advance(30_000)
    await ended
  })
})

describe('an answer that does not come', () => {
  test.each([
    ['ECONNREFUSED', 'fetch failed (ECONNREFUSED)'],
    ['ENOTFOUND', 'fetch failed (ENOTFOUND)'],
    ['UND_ERR_SOCKET', 'fetch failed (UND_ERR_SOCKET)'],
  ])('%s: the network is to blame, by the name it gives itself', async (code, received) => {
    const { send, traced } = door(() => Promise.reject(fetchFailed(code)))
    await expect(send()).rejects.toMatchObject({
      code: 'network_error',
      step: 'exchange',
      url: 'https://as.example/token',
      received,
      action: 'retry_at',
    })
    expect(traced).toMatchObject([{ note: received }])
  })

  test('within the time limit: request_timeout, and the request is ended', async () => {
    let told: AbortSignal | null | undefined
    const { send, clock, traced } = door((_url, init) => {
      told = init?.signal
      return new Promise((_resolve, reject) => told?.addEventListener('abort', () => reject(told?.reason)))
    })
    const ended = expect(send()).rejects.toMatchObject({
      code: 'request_timeout',
      step: 'exchange',
      url: 'https://as.example/token',
      expected: 'within 30000 ms',
      hint: expect.stringContaining('requestTimeoutMs'),
    })
    await clock.advance(30_000)
    await ended
    expect(told?.aborted).toBe(true)
    await clock.advance(0)
    expect(traced).toMatchObject([{ note: 'no answer', durationMs: 30_000 }])
  })

  test('within the time limit of this request, where it has its own', async () => {
    const { send, clock } = door(() => new Promise(() => undefined))
    const ended = expect(send({ timeoutMs: 90_000 })).rejects.toMatchObject({ expected: 'within 90000 ms' })
    await clock.advance(89_999)
    expect(clock.sleeping).toEqual([90_000])
    await clock.advance(1)
    await ended
  })

  test('because its caller gave up: request_aborted, with the reason', async () => {
    const caller = new AbortController()
    const { send } = door(() => new Promise(() => undefined))
    const asked = send({ signal: caller.signal })
    caller.abort('enough')
    const error = await asked.catch((thrown) => thrown)
    expect(CountersignError.is(error)).toBe(true)
    expect(error).toMatchObject({ code: 'request_aborted', cause: 'enough' })
  })
})
