import { CountersignError, type Page } from '@countersign/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loopback } from '../../../packages/node/src/loopback/user-agent.js'
import { REFUSED } from '../browsable-urls.js'
import { ask, freePort, pause, stateOf } from '../support.js'
import { AUTHORIZE, begin, beginWith, comeBack, endAll, isFree, page, redirectOf, SERVER } from './login.js'

afterEach(endAll)

describe('a login over loopback', () => {
  it('brings the response back, iss and all, and shows that it ended well', async () => {
    const open = vi.fn()
    const presentation = begin({ open })
    const redirect = await redirectOf(presentation)
    expect(redirect.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    const response = presentation.present(page())
    await vi.waitFor(() => expect(open).toHaveBeenCalledExactlyOnceWith(AUTHORIZE))
    const shown = comeBack(redirect, 'code=c1&state=s1&iss=https%3A%2F%2Fas.example')
    const parameters = (await response) as URLSearchParams
    expect(Object.fromEntries(parameters)).toEqual({ code: 'c1', state: 's1', iss: 'https://as.example' })
    expect(await stateOf(shown)).toBe('pending')
    await presentation.end({ ok: true })
    const { status, body } = await shown
    expect(status).toBe(200)
    expect(body).toContain('mcp.example:8443')
    expect(body).not.toContain('planted')
    expect(await isFree(Number(redirect.port))).toBe(true)
  })

  it('shows why it failed', async () => {
    const presentation = begin()
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    const shown = comeBack(redirect)
    await response
    await presentation.end({ ok: false, error: new CountersignError('access_denied', { step: 'exchange' }) })
    expect(await shown).toMatchObject({ status: 400, body: expect.stringContaining('approve the request') })
  })

  it('listens before any URL is built, and tells nobody anything before it knows the state', async () => {
    const presentation = begin()
    const redirect = await redirectOf(presentation)
    expect((await comeBack(redirect)).status).toBe(400)
    const response = presentation.present(page())
    expect((await comeBack(redirect, 'code=c&state=wrong')).status).toBe(400)
    expect(await stateOf(response)).toBe('pending')
    void comeBack(redirect).catch(() => undefined)
    expect(((await response) as URLSearchParams).get('code')).toBe('c1')
  })

  it('may be answered before open has resolved, or when it fails afterwards', async () => {
    let fail: (error: Error) => void = () => undefined
    const presentation = begin({
      open: () =>
        new Promise((_, reject) => {
          fail = reject
        }),
    })
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    void comeBack(redirect).catch(() => undefined)
    expect(((await response) as URLSearchParams).get('code')).toBe('c1')
    fail(new Error('too late to matter'))
    await pause(10)
  })

  it('is offered where the server has a redirect, and its own agent may open one unasked', async () => {
    expect(await begin().way({ redirect: false, device: true })).toBeUndefined()
    expect(loopback().onDemand).toBe(true)
  })

  it("has the host's own pages", async () => {
    const presentation = begin({ pages: { success: ({ server }) => `<h1>in at ${server}` } })
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    const shown = comeBack(redirect)
    await response
    await presentation.end({ ok: true })
    expect((await shown).body).toBe('<h1>in at mcp.example:8443')
  })

  it.each([
    ['throws', () => expect.unreachable('as it does')],
    ['gives no string', () => undefined as unknown as string],
  ])("shows the standard page where the host's %s, closes, and says so", async (_, success) => {
    // Not begin(): its end would be called once more after the test.
    const presentation = loopback({ open: () => undefined, pages: { success } }).begin({
      url: 'https://mcp.example/mcp',
      account: undefined,
      signal: new AbortController().signal,
    })
    const redirect = await redirectOf(presentation)
    const response = presentation.present(page())
    const shown = comeBack(redirect)
    await response
    await expect(presentation.end({ ok: true })).rejects.toMatchObject({ code: 'options_invalid', step: 'present' })
    expect((await shown).body).toContain('Signed in')
    expect(await isFree(Number(redirect.port))).toBe(true)
  })
})

describe('showing the page', () => {
  it('tells onUrl beside open', async () => {
    const [open, onUrl] = [vi.fn(), vi.fn()]
    const presentation = begin({ open, onUrl })
    await redirectOf(presentation)
    void presentation.present(page()).catch(() => undefined)
    await vi.waitFor(() => expect(onUrl).toHaveBeenCalledExactlyOnceWith(AUTHORIZE))
    expect(open).toHaveBeenCalledExactlyOnceWith(AUTHORIZE)
  })

  it('opens no browser where only onUrl is given', async () => {
    vi.stubEnv('BROWSER', '/bin/false')
    const onUrl = vi.fn()
    const presentation = beginWith({ onUrl })
    await redirectOf(presentation)
    const response = presentation.present(page())
    void response.catch(() => undefined)
    await pause(200)
    expect(onUrl).toHaveBeenCalledOnce()
    expect(await stateOf(response)).toBe('pending')
    vi.unstubAllEnvs()
  })

  it.skipIf(process.platform !== 'linux')(
    "opens the person's browser otherwise, and fails where there is none",
    async () => {
      for (const name of ['DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER']) vi.stubEnv(name, undefined)
      const presentation = beginWith({})
      await redirectOf(presentation)
      await expect(presentation.present(page())).rejects.toMatchObject({ code: 'browser_not_opened' })
      vi.unstubAllEnvs()
    },
  )

  it.each([
    ['open throws', { open: () => expect.unreachable('no window') }],
    ['open rejects', { open: () => Promise.reject(new TypeError('no window')) }],
    ['onUrl throws', { onUrl: () => expect.unreachable('no window') }],
  ])('fails with its cause when %s', async (_, options) => {
    const presentation = begin(options)
    await redirectOf(presentation)
    await expect(presentation.present(page())).rejects.toMatchObject({
      code: 'browser_not_opened',
      url: 'https://as.example/authorize',
      cause: expect.objectContaining({ message: expect.stringContaining('no window') }),
    })
  })

  it('opens nothing for a login that is taken over', async () => {
    const [open, onUrl] = [vi.fn(), vi.fn()]
    const port = await freePort()
    const presentation = begin({ open, onUrl })
    const resume = { redirectUri: `http://localhost:${port}/callback`, state: 's1' }
    const way = await presentation.way({ ...SERVER, resume })
    expect(way).toEqual({ kind: 'redirect', redirectUri: resume.redirectUri })
    // The page is open: the person may come back before present is called.
    const shown = ask({ port, path: '/callback?code=c1&state=s1', headers: { host: `localhost:${port}` } })
    await pause(30)
    const parameters = (await presentation.present(page({ resumed: true }))) as URLSearchParams
    expect(parameters.get('code')).toBe('c1')
    expect(open).not.toHaveBeenCalled()
    expect(onUrl).not.toHaveBeenCalled()
    await presentation.end({ ok: true })
    expect((await shown).status).toBe(200)
  })

  it.each(REFUSED.map((url) => [url]))('never reaches an opener with %j', async (authorizationUrl) => {
    const [open, onUrl] = [vi.fn(), vi.fn()]
    const presentation = begin({ open, onUrl })
    await redirectOf(presentation)
    await expect(presentation.present(page({ authorizationUrl }))).rejects.toMatchObject({ code: 'url_not_allowed' })
    expect(open).not.toHaveBeenCalled()
    expect(onUrl).not.toHaveBeenCalled()
  })

  it('needs a way, and is not for devices', async () => {
    await expect(begin().present(page())).rejects.toMatchObject({ code: 'user_agent_unsuitable' })
    const presentation = begin()
    await redirectOf(presentation)
    const device: Page = { kind: 'device', userCode: 'X', verificationUri: 'https://as.example/device', expiresAt: 0 }
    await expect(presentation.present(device)).rejects.toMatchObject({
      code: 'user_agent_unsuitable',
      received: 'device',
    })
  })
})
