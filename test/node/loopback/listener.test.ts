import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Listener, type ListenOptions, listen } from '../../../packages/node/src/loopback/listener.js'
import { type Answer, ask, pause, stateOf } from '../support.js'

const open: Array<{ close(): Promise<void> }> = []

async function start(options: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen({ ports: [], host: '127.0.0.1', path: '/callback', state: 'right', ...options })
  open.push(listener)
  return listener
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

function expectSafe({ headers, body }: Answer): void {
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(headers['referrer-policy']).toBe('no-referrer')
  expect(headers['cache-control']).toBe('no-store')
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers.connection).toBe('close')
  expect(body).not.toMatch(/<script|javascript:|\son\w+=/i)
}

describe('the response', () => {
  it('is the one with the right state, and its page waits for the outcome', async () => {
    const listener = await start()
    const page = ask({ port: listener.port, path: '/callback?code=c%2B1&state=right&iss=https%3A%2F%2Fas.example' })
    const parameters = await listener.response
    expect([...parameters]).toEqual([
      ['code', 'c+1'],
      ['state', 'right'],
      ['iss', 'https://as.example'],
    ])
    expect(await stateOf(page)).toBe('pending')
    await listener.finish(200, '<p>done')
    const answer = await page
    expect([answer.status, answer.body]).toEqual([200, '<p>done'])
    expectSafe(answer)
  })

  it('may be an error: that is the flow to judge', async () => {
    const listener = await start()
    void ask({ port: listener.port, path: '/callback?error=access_denied&state=right' }).catch(() => undefined)
    expect((await listener.response).get('error')).toBe('access_denied')
  })

  it.each([
    ['wrong', '?code=c&state=wrong'],
    ['missing', '?code=c'],
    ['empty', '?code=c&state='],
    ['repeated', '?code=c&state=right&state=right'],
    ['repeated, the right one first', '?code=c&state=right&state=wrong'],
    ['a prefix', '?code=c&state=righ'],
    ['in the wrong case', '?code=c&state=Right'],
    ['no query at all', ''],
  ])(
    'is not one whose state is %s, and the right one still comes through',
    { tags: ['rfc8252/state-checked', 'mcp-security/state'] },
    async (_, query) => {
      const listener = await start()
      const refused = await ask({ port: listener.port, path: `/callback${query}` })
      expect(refused.status).toBe(400)
      expectSafe(refused)
      expect(listener.answered).toBe(false)
      expect(await stateOf(listener.response)).toBe('pending')
      const page = ask({ port: listener.port, path: '/callback?code=mine&state=right' })
      expect((await listener.response).get('code')).toBe('mine')
      await listener.finish(200, 'ok')
      expect((await page).status).toBe(200)
    },
  )

  it('shows nothing of what a stranger wrote', async () => {
    const listener = await start()
    const path = '/callback?state=planted&error=planted&error_description=%3Cb%3Eplanted'
    expect((await ask({ port: listener.port, path })).body).not.toContain('planted')
  })

  it('is none before its state is known', async () => {
    const { state: _, ...rest } = { ports: [], host: '127.0.0.1', path: '/callback', state: '' } as const
    const listener = await listen(rest)
    open.push(listener)
    expect((await ask({ port: listener.port, path: '/callback?code=c&state=' })).status).toBe(400)
    expect((await ask({ port: listener.port, path: '/callback?code=c&state=undefined' })).status).toBe(400)
    listener.expect('s2')
    void ask({ port: listener.port, path: '/callback?code=c&state=s2' }).catch(() => undefined)
    expect((await listener.response).get('code')).toBe('c')
  })

  it('is taken once: a replay is told so and changes nothing', async () => {
    const listener = await start()
    const first = ask({ port: listener.port, path: '/callback?code=one&state=right' })
    await listener.response
    const replay = await ask({ port: listener.port, path: '/callback?code=two&state=right' })
    expect(replay.status).toBe(409)
    expect(replay.body).toContain('Already answered')
    expectSafe(replay)
    expect((await listener.response).get('code')).toBe('one')
    await listener.finish(200, 'first')
    expect((await first).body).toBe('first')
    expect((await ask({ port: listener.port, path: '/callback?code=3&state=right' })).status).toBe(409)
  })

  it('stays good when the browser hangs up', async () => {
    const listener = await start()
    const hangUp = new AbortController()
    const page = ask({ port: listener.port, path: '/callback?code=c&state=right', signal: hangUp.signal })
    await listener.response
    hangUp.abort()
    await expect(page).rejects.toThrow()
    await pause(20)
    await listener.finish(200, 'nobody reads this')
    expect((await listener.response).get('code')).toBe('c')
  })

  it('has its page shown once, and finishing without one is nothing', async () => {
    const listener = await start()
    await listener.finish(200, 'too early')
    const page = ask({ port: listener.port, path: '/callback?code=c&state=right' })
    await listener.response
    await listener.finish(200, 'first')
    await listener.finish(200, 'second')
    expect((await page).body).toBe('first')
  })

  it('is not waited on for long when the browser does not read', async () => {
    const listener = await start()
    const socket = connect(listener.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write(`GET /callback?code=c&state=right HTTP/1.1\r\nHost: 127.0.0.1:${listener.port}\r\n\r\n`)
    await listener.response
    const began = performance.now()
    await listener.finish(200, 'x'.repeat(20_000_000))
    expect(performance.now() - began).toBeLessThan(1_800)
    socket.destroy()
  })
})

describe('other requests', () => {
  it.each(['/', '/favicon.ico', '/callback/', '/Callback', '/callback%2f', '//127.0.0.1/callback', '/x?state=right'])(
    'find nothing at %s',
    { tags: 'rfc8252/redirect-uri-stored' },
    async (path) => {
      const listener = await start()
      const answer = await ask({ port: listener.port, path })
      expect(answer.status).toBe(404)
      expectSafe(answer)
      expect(listener.answered).toBe(false)
    },
  )

  it.each(['HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE'])('may not %s', async (method) => {
    const listener = await start()
    const answer = await ask({ port: listener.port, path: '/callback?code=c&state=right', method })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET')
    expect(listener.answered).toBe(false)
  })

  it.each([
    'evil.example',
    'evil.example:PORT',
    'localhost:PORT',
    '[::1]:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.0.0.1:PORT.evil.example',
  ])('are refused when they come for %s', { tags: 'rfc8252/redirect-uri-stored' }, async (name) => {
    const listener = await start()
    const host = name.replace('PORT', String(listener.port))
    const answer = await ask({ port: listener.port, path: '/callback?code=c&state=right', headers: { host } })
    expect(answer.status).toBe(400)
    expectSafe(answer)
    expect(listener.answered).toBe(false)
  })

  it('are refused in absolute form', async () => {
    const listener = await start()
    const path = `http://127.0.0.1:${listener.port}/callback?code=c&state=right`
    expect((await ask({ port: listener.port, path })).status).toBe(404)
  })

  it('are refused when they are too long', async () => {
    const listener = await start()
    const path = `/callback?state=right&code=${'c'.repeat(17_000)}`
    expect((await ask({ port: listener.port, path })).status).toBe(414)
    expect((await ask({ port: listener.port, path: path.repeat(5) })).status).toBe(431)
    expect(listener.answered).toBe(false)
  })

  it('may carry the many cookies of localhost', async () => {
    const listener = await start()
    const cookie = Array.from({ length: 40 }, (_, i) => `c${i}=${'v'.repeat(1_000)}`).join('; ')
    void ask({ port: listener.port, path: '/callback?code=c&state=right', headers: { cookie } }).catch(() => undefined)
    expect((await listener.response).get('code')).toBe('c')
  })
})
