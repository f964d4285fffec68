import { describe, expect, it, vi } from 'vitest'
import { deviceCode } from '../../../packages/node/src/headless/device-code.js'
import { BOTH, begin, devicePage, REDIRECT_ONLY, refusal, terminal } from './begin.js'

describe('deviceCode()', () => {
  it('serves servers with the device grant, and may open a login unasked', async () => {
    expect(await begin(deviceCode()).way(BOTH)).toMatchObject({ kind: 'device', grant: { kind: 'device' } })
    expect(await begin(deviceCode()).way(REDIRECT_ONLY)).toBeUndefined()
    expect(deviceCode().onDemand).toBe(true)
  })

  it('prints the page, the code and a QR code on standard error, and says when it is done', {
    tags: 'rfc8628/shown',
  }, async () => {
    using screen = terminal()
    const login = begin(deviceCode())
    const complete = { verificationUriComplete: 'https://as.example/device?user_code=WDJB-MJHT' }
    expect(await login.present(devicePage(complete))).toBe('shown')
    const [first, second, ...qr] = screen.text.trimEnd().split('\n')
    expect(first).toBe(
      'To sign in to mcp.example:8443, open this page on any device and enter the code WDJB-MJHT within 10 min:',
    )
    expect(second).toBe('https://as.example/device')
    expect(qr.length).toBeGreaterThan(14)
    expect(qr.join('')).toMatch(/^[ █▀▄]+$/)
    await login.end({ ok: true })
    expect(screen.text.endsWith('\nSigned in.\n')).toBe(true)
    expect(screen.text).not.toContain('planted')
  })

  it('prints no QR code where nobody looks at a terminal', async () => {
    using screen = terminal({ reads: false })
    await begin(deviceCode()).present(devicePage())
    expect(screen.text).toMatch(/^To sign in .*WDJB-MJHT.*\nhttps:\/\/as\.example\/device\n$/)
  })

  it("hands all of it to the host's own function, and tells it when the code is of no use any more", async () => {
    using screen = terminal()
    const show = vi.fn()
    const login = begin(deviceCode({ show }))
    const expiresAt = Date.now() + 1
    await login.present(devicePage({ expiresAt, verificationUriComplete: 'https://as.example/device?c=1' }))
    const [[code]] = show.mock.calls as [[{ signal: AbortSignal }]]
    expect(code).toEqual({
      server: 'mcp.example:8443',
      userCode: 'WDJB-MJHT',
      verificationUri: 'https://as.example/device',
      verificationUriComplete: 'https://as.example/device?c=1',
      expiresAt,
      signal: expect.any(AbortSignal),
    })
    expect(code.signal.aborted).toBe(false)
    await login.end({ ok: true })
    expect(code.signal.aborted).toBe(true)
    expect(screen.text).toBe('')
  })

  it('a function that fails is the error of the login, and named', async () => {
    const cause = new Error('no screen')
    const show = () => Promise.reject(cause)
    expect(await refusal(begin(deviceCode({ show })).present(devicePage()))).toMatchObject({
      code: 'browser_not_opened',
      step: 'present',
      hint: 'Correct the function in deviceCode({ show }).',
      cause,
    })
  })

  it.each(['javascript:alert(1)', 'http://as.example/device', 'https://as.example/\u001b[2J'])(
    'a page that nobody should be sent to is not shown: %j',
    async (verificationUri) => {
      const show = vi.fn()
      const login = begin(deviceCode({ show }))
      expect(await refusal(login.present(devicePage({ verificationUri })))).toMatchObject({ code: 'url_not_allowed' })
      expect(show).not.toHaveBeenCalled()
    },
  )

  it('shows no other page', async () => {
    const page = { kind: 'redirect', authorizationUrl: 'https://as.example/', state: 's', resumed: false } as const
    expect(await refusal(begin(deviceCode()).present(page))).toMatchObject({
      code: 'user_agent_unsuitable',
      expected: 'a device authorization',
      received: 'redirect',
    })
  })
})
