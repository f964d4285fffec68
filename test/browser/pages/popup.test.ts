import { expect, it } from 'vitest'
import { approve, outcome, overPages, pages, ready, start } from '../support/pages.js'

const signedIn = { value: { status: 'signed_in' } }

overPages('a sign-in by a popup', () => {
  const world = pages()

  it('opens in the click, goes to the authorization server when its URL is known, and ends in the page that began', async () => {
    const tab = await world.tab()
    const popup = await world.click(tab)
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
    await expect.poll(() => popup.isClosed()).toBe(true)
    expect(await tab.evaluate(() => window.app.statuses)).toEqual(['signed_out', 'signing_in', 'signed_in'])
  })

  it('shows a page of the host’s until then, where it has one', async () => {
    const tab = await world.tab({ waitingUrl: '/waiting' })
    await approve(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(world.site.requests.map(({ path }) => path)).toContain('/waiting')
  })

  it('gives the popup no hold on the page, and leaves no code in an address', async () => {
    const tab = await world.tab()
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    expect(await popup.evaluate(() => window.opener)).toBeNull()
    const addresses: string[] = []
    popup.on('framenavigated', (frame) => addresses.push(frame.url()))
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
    // The navigation with the code, and then the address without it.
    expect(addresses.filter((url) => url.startsWith(world.site.origin)).at(-1)).toBe(`${world.site.origin}/callback`)
    expect(world.site.requests.filter(({ referrer }) => referrer?.includes('code='))).toEqual([
      // The page's own script, which is how the page comes to clean its address.
      expect.objectContaining({ path: '/main.js' }),
    ])
  })

  it('of somebody who is signed in opens none', async () => {
    const tab = await world.signedIn()
    await expect.poll(() => world.context.pages()).toHaveLength(1)
    await tab.click('button')
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(world.context.pages()).toHaveLength(1)
  })

  it('in a page that does not know yet that it is signed in: the popup closes again, and nobody is asked', async () => {
    await world.signedIn()
    const tab = await world.tab({ unread: true })
    const popup = await world.click(tab)
    expect(await outcome(tab)).toMatchObject(signedIn)
    await expect.poll(() => popup.isClosed()).toBe(true)
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('that the person declines', async () => {
    const tab = await world.tab()
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    await popup.click('text=Cancel')
    expect(await outcome(tab)).toMatchObject({ code: 'access_denied' })
    await expect.poll(() => popup.isClosed()).toBe(true)
  })

  it('is kept when the tab goes, for the next one', async () => {
    await (await world.signedIn()).close()
    const next = await world.tab()
    expect(await next.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('for each of two accounts goes to its own, whichever comes back first', async () => {
    const [a, b] = [await world.tab({ account: 'a' }), await world.tab({ account: 'b' })]
    const [first, second] = [await world.click(a), await world.click(b)]
    await approve(first, 'consent')
    await approve(second)
    expect(await outcome(b)).toMatchObject(signedIn)
    expect(await a.evaluate(() => window.app.status)).toBe('signing_in')
    await approve(first)
    expect(await outcome(a)).toMatchObject(signedIn)
  })
})

overPages('a popup that brings no answer', () => {
  const world = pages()

  it('closed by the person at the authorization server: login_cancelled, within seconds', async () => {
    const tab = await world.tab()
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    await popup.close()
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled', received: 'a popup that was closed' })
    expect(await tab.evaluate(() => window.app.status)).toBe('failed')
    // And the next click is a new sign-in.
    await approve(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
  })

  it('closed before there was an address to go to: login_cancelled, and no client is registered', async () => {
    const tab = await world.tab()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await world.context.route('**/.well-known/**', async (route) => {
      await held
      await route.continue()
    })
    const popup = await world.click(tab)
    await popup.close()
    release()
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled' })
    expect(world.as.requests.filter(({ path }) => path === '/reg')).toEqual([])
  })

  it('abandoned: login_timeout, and the next click is a new sign-in', async () => {
    const tab = await world.tab({ loginTimeoutMs: 2_000 })
    await approve(await world.click(tab), 'consent')
    expect(await outcome(tab)).toMatchObject({ code: 'login_timeout' })
    expect(await tab.evaluate(() => window.app.status)).toBe('failed')
  })

  it('that navigates elsewhere: the time limit counts, and the page is told', async () => {
    const tab = await world.tab({ loginTimeoutMs: 3_000 })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    await popup.goto(world.mcp.url)
    expect(await outcome(tab)).toMatchObject({ code: 'login_timeout' })
  })

  it('that went elsewhere before there was an address to go to', async () => {
    const tab = await world.tab()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await world.context.route('**/.well-known/oauth-authorization-server', async (route) => {
      await held
      await route.continue()
    })
    const popup = await world.click(tab)
    await popup.goto(world.mcp.url)
    release()
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled', received: 'a popup that went elsewhere' })
  })
})

overPages('a browser that blocks popups', () => {
  const world = pages({ launch: { ignoreDefaultArgs: ['--disable-popup-blocking'] } })

  it('outside a click: browser_not_opened, which says how it would open', async () => {
    const tab = await world.tab()
    await tab.evaluate(() => {
      setTimeout(() => document.querySelector('button')?.dispatchEvent(new Event('click')), 6_000)
    })
    await tab.waitForFunction(() => window.app.outcome, undefined, { timeout: 10_000 })
    expect(await outcome(tab)).toMatchObject({
      code: 'browser_not_opened',
      received: 'one that the browser blocked',
      hint: expect.stringMatching(/in the click itself.*allow popups.*redirect\(\)/),
    })
    expect(await tab.evaluate(() => window.app.status)).toBe('failed')
    await approve(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
  })
})

overPages('a popup that is severed from the page (Cross-Origin-Opener-Policy)', () => {
  const world = pages()
  /** A browser without a screen has every window in front. With one, who is in the popup is not at the page. */
  const inFront = (tab: import('playwright').Page, here: boolean) =>
    tab.evaluate((focused) => {
      document.hasFocus = () => focused
    }, here)

  it('by the authorization server: the answer comes all the same', async () => {
    await world.context.route(`${world.as.issuer}/interaction/**`, async (route) => {
      const response = await route.fetch({ maxRedirects: 0 })
      await route.fulfill({ response, headers: { ...response.headers(), 'cross-origin-opener-policy': 'same-origin' } })
    })
    const tab = await world.tab()
    await tab.evaluate(() => {
      const { open } = window
      window.open = (...args) => {
        const opened = open(...args)
        Object.assign(window, { opened })
        return opened
      }
    })
    const popup = await world.click(tab)
    await inFront(tab, false)
    await approve(popup, 'consent')
    await tab.waitForTimeout(2_000)
    expect(await tab.evaluate(() => (window as unknown as { opened: Window }).opened.closed)).toBe(true)
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
    await expect.poll(() => popup.isClosed()).toBe(true)
  })

  it('by the page itself: the answer comes all the same', async () => {
    world.site.headers['cross-origin-opener-policy'] = 'same-origin'
    const tab = await world.tab()
    const popup = await world.click(tab)
    await inFront(tab, false)
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
  })

  it('and closed then: the page that the person is back at is told, in a while', async () => {
    world.site.headers['cross-origin-opener-policy'] = 'same-origin'
    const tab = await world.tab()
    await tab.clock.install()
    const popup = await world.click(tab)
    await inFront(tab, false)
    await approve(popup, 'consent')
    await tab.clock.runFor(60_000)
    expect(await tab.evaluate(() => window.app.status)).toBe('signing_in')
    await popup.close()
    await inFront(tab, true)
    await tab.clock.runFor(14_000)
    expect(await tab.evaluate(() => window.app.status)).toBe('signing_in')
    await tab.clock.runFor(2_000)
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled', received: 'a popup that was closed' })
  })
})

overPages('a callback', () => {
  const world = pages()

  it('comes by web storage where there are no channels, and stays nowhere', async () => {
    await world.context.addInitScript(() => Reflect.deleteProperty(window, 'BroadcastChannel'))
    const tab = await world.signedIn()
    expect(await tab.evaluate(() => Object.keys(localStorage))).toEqual([])
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('that is delivered more than once, and by both ways, is taken once', async () => {
    const tab = await world.tab()
    const other = await world.tab()
    const popup = await world.click(tab)
    await popup.waitForURL(/\/interaction\//)
    await popup.route('**/callback?*', async (route) => {
      const { search, searchParams } = new URL(route.request().url())
      await other.evaluate(
        ([query, name]) => {
          const channel = new BroadcastChannel(name as string)
          for (let n = 0; n < 3; n++) channel.postMessage(query)
          localStorage.setItem(name as string, query as string)
          localStorage.removeItem(name as string)
        },
        [search, `countersign:${searchParams.get('state')}`],
      )
      await route.continue()
    })
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('that is forged is not heard: another state, no state, no text, a message to the window', async () => {
    const tab = await world.tab()
    const attacker = await world.tab()
    const authorizing = world.context.waitForEvent('request', (request) => request.url().includes('/auth?'))
    const popup = await world.click(tab)
    const state = new URL((await authorizing).url()).searchParams.get('state') ?? ''
    await approve(popup, 'consent')
    await attacker.evaluate((name) => {
      const channel = new BroadcastChannel(name)
      const junk: unknown[] = [
        '?code=stolen&state=other',
        '?code=stolen',
        '',
        null,
        42,
        { state: name },
        ['x'],
        'taken',
      ]
      for (const message of junk) channel.postMessage(message)
      localStorage.setItem(name, '?code=stolen&state=other')
    }, `countersign:${state}`)
    await tab.evaluate(() => window.postMessage('?code=stolen', '*'))
    await tab.waitForTimeout(300)
    expect(await tab.evaluate(() => window.app.status)).toBe('signing_in')
    await approve(popup)
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('that knows the state and brings another code or issuer is refused, and nobody else’s token comes of it', async () => {
    const tab = await world.tab()
    const attacker = await world.tab()
    const authorizing = world.context.waitForEvent('request', (request) => request.url().includes('/auth?'))
    const popup = await world.click(tab)
    const state = new URL((await authorizing).url()).searchParams.get('state') ?? ''
    await approve(popup, 'consent')
    await attacker.evaluate((of) => {
      new BroadcastChannel(`countersign:${of}`).postMessage(`?code=stolen&iss=https%3A%2F%2Fevil.example&state=${of}`)
    }, state)
    expect(await outcome(tab)).toMatchObject({ code: 'issuer_mismatch' })
    expect(world.grants).toEqual([])
  })

  it.each([
    ['opened by hand', '/callback', 'state_mismatch'],
    ['for another state', '/callback?code=c&state=other', 'login_not_found'],
    ['without a state', '/callback?code=c', 'state_mismatch'],
  ])('%s: a typed error, in the page that was opened, whose address is clean', async (_name, path, code) => {
    const waiting = await world.tab()
    const popup = await world.click(waiting)
    await approve(popup, 'consent')
    await waiting.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const page = await world.context.newPage()
    await page.goto(world.site.origin + path)
    await ready(page)
    expect(await outcome(page)).toMatchObject({ code })
    expect(page.url()).toBe(`${world.site.origin}/callback`)
    // Whoever is signing in meanwhile is not disturbed.
    expect(await waiting.evaluate(() => window.app.status)).toBe('signing_in')
    await approve(popup)
    expect(await outcome(waiting)).toMatchObject(signedIn)
  })

  it('that comes a second time gets the connection, and sends nothing', async () => {
    const callback = world.context.waitForEvent('request', (request) => request.url().includes('/callback?'))
    const tab = await world.signedIn()
    await tab.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const again = await world.context.newPage()
    await again.goto((await callback).url())
    await ready(again)
    expect(await outcome(again)).toEqual({ value: { returnTo: '/notes' } })
    expect(await again.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('whose page has been closed meanwhile is completed where it came to', async () => {
    const tab = await world.tab()
    await tab.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    await tab.close()
    await approve(popup)
    await ready(popup)
    expect(await outcome(popup)).toEqual({ value: { returnTo: '/notes' } })
    expect(await (await world.tab()).evaluate(() => window.app.call())).toEqual({ value: 200 })
  })

  it('whose page has given up meanwhile: login_not_found', async () => {
    const tab = await world.tab({ loginTimeoutMs: 2_000 })
    await tab.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    expect(await outcome(tab)).toMatchObject({ code: 'login_timeout' })
    await approve(popup)
    await ready(popup)
    expect(await outcome(popup)).toMatchObject({ code: 'login_not_found' })
    await start(tab, { url: world.mcp.url })
    expect(await tab.evaluate(() => window.app.call())).toMatchObject({ code: 'interaction_required' })
  })
})
