import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import { approve, outcome, overPages, pages, ready } from '../support/pages.js'

const status = (tab: Page) => tab.evaluate(() => window.app.status)
const refresh = (tab: Page) => tab.evaluate(() => window.app.token({ refresh: true }))
const call = (tab: Page) => tab.evaluate(() => window.app.call())
const types = (tab: Page) => tab.evaluate(() => window.app.events.map(({ type }) => type))
const diagnostics = (tab: Page) =>
  tab.evaluate(() => window.app.events.flatMap(({ diagnostic }) => diagnostic?.code ?? []))

overPages('what happens in one tab', () => {
  const world = pages()

  it('a sign-in, a refresh and a sign-out, is seen in the others', async () => {
    const [here, there] = [await world.tab(), await world.tab()]
    await expect.poll(() => status(there)).toBe('signed_out')
    await approve(await world.click(here))
    expect(await outcome(here)).toMatchObject({ value: { status: 'signed_in' } })
    await expect.poll(() => status(there)).toBe('signed_in')
    expect(await call(there)).toEqual({ value: 200 })

    const renewed = await refresh(here)
    await expect.poll(() => there.evaluate(() => window.app.token())).toEqual(renewed)
    expect(world.grants).toEqual(['authorization_code', 'refresh_token'])

    await here.evaluate(() => window.app.connection?.signOut())
    await expect.poll(() => status(there)).toBe('signed_out')
    expect(await call(there)).toMatchObject({ code: 'interaction_required' })
  })

  it('is not seen where nobody listens, until there is a call', async () => {
    const here = await world.tab()
    const there = await world.tab({ unread: true })
    await approve(await world.click(here))
    await outcome(here)
    expect(await status(there)).toBe('restoring')
    expect(await call(there)).toEqual({ value: 200 })
  })
})

overPages('a tab that is gone in the middle of a refresh', () => {
  const world = pages()

  /** Two tabs; the first has sent a refresh that is not answered. */
  async function midRefresh(times: { readonly requestTimeoutMs?: number } = {}): Promise<{ gone: Page; left: Page }> {
    const gone = await world.signedIn(times)
    const left = await world.tab(times)
    await expect.poll(() => status(left)).toBe('signed_in')
    world.as.clearRequests()
    let asked = 0
    world.as.tokenEndpoint.intercept = async () => {
      if (++asked > 1) return undefined
      await new Promise((resolve) => setTimeout(resolve, 8_000))
      return { destroy: true }
    }
    await gone.evaluate(() => void window.app.token({ refresh: true }))
    await expect.poll(() => world.grants).toEqual(['refresh_token'])
    return { gone, left }
  }

  it('by being closed: another takes over at once', async () => {
    const { gone, left } = await midRefresh()
    await gone.close()
    const began = performance.now()
    expect(await refresh(left)).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeLessThan(4_000)
    expect(await types(left)).toContain('lease_taken_over')
    expect(await call(left)).toEqual({ value: 200 })
  })

  it('by going to another page: another takes over at once', async () => {
    const { gone, left } = await midRefresh()
    await gone.goto('about:blank')
    const began = performance.now()
    expect(await refresh(left)).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeLessThan(4_000)
    // A page that is left hears that its request broke off, and can still send: it does not try again.
    expect(world.grants).toEqual(['refresh_token', 'refresh_token'])
  })

  it('where there are no Web Locks: its lease is waited for, and the host is told once', async () => {
    await world.context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'locks'))
    const { gone, left } = await midRefresh({ requestTimeoutMs: 1_500 })
    expect(await diagnostics(gone)).toEqual(['web_locks_missing'])
    await gone.close()
    const began = performance.now()
    // The lease lasts three times as long as a request, a caller waits one and a half times that.
    expect(await refresh(left)).toMatchObject({ code: 'refresh_pending' })
    await expect.poll(() => refresh(left), { timeout: 10_000 }).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeGreaterThan(3_000)
    expect(await diagnostics(left)).toEqual(['web_locks_missing'])
  })

  it('while it is alive it is waited for', async () => {
    const { gone, left } = await midRefresh({ requestTimeoutMs: 1_500 })
    expect(await refresh(left)).toMatchObject({ code: 'refresh_pending' })
    expect(world.grants).toEqual(['refresh_token'])
    await gone.close()
  })
})

overPages('a tab that the browser has put to sleep', () => {
  const world = pages()
  const lifecycle = async (tab: Page) => {
    const session = await world.context.newCDPSession(tab)
    return (state: 'frozen' | 'active') => session.send('Page.setWebLifecycleState', { state })
  }

  it('holds nobody up, and follows when it wakes', async () => {
    const asleep = await world.signedIn()
    const awake = await world.tab()
    // It has a lock: it has refreshed before.
    await refresh(asleep)
    const set = await lifecycle(asleep)
    await set('frozen')
    await expect.poll(() => call(awake)).toEqual({ value: 200 })
    const renewed = await refresh(awake)
    expect(renewed).toMatchObject({ value: expect.any(String) })
    await awake.evaluate(() => window.app.connection?.signOut())
    await set('active')
    await expect.poll(() => status(asleep)).toBe('signed_out')
  })

  it('in the middle of a refresh: one request is sent, and every tab has its result', async () => {
    const asleep = await world.signedIn()
    const awake = await world.tab()
    await expect.poll(() => status(awake)).toBe('signed_in')
    world.as.clearRequests()
    world.as.tokenEndpoint.delayMs = 1_000
    await asleep.evaluate(() => void window.app.token({ refresh: true }))
    await expect.poll(() => world.grants).toEqual(['refresh_token'])
    const set = await lifecycle(asleep)
    await set('frozen')
    const renewed = refresh(awake)
    // What is good still serves.
    expect(await call(awake)).toEqual({ value: 200 })
    await set('active')
    expect(await renewed).toMatchObject({ value: expect.any(String) })
    await expect.poll(() => asleep.evaluate(() => window.app.token())).toEqual(await renewed)
    expect(world.grants).toEqual(['refresh_token'])
  })

  it('in the background, with its timers slowed down, still gets the answer of its popup', async () => {
    const tab = await world.tab()
    const session = await world.context.newCDPSession(tab)
    await session.send('Emulation.setCPUThrottlingRate', { rate: 20 })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    await popup.bringToFront()
    await approve(popup)
    expect(await outcome(tab)).toMatchObject({ value: { status: 'signed_in' } })
  })

  it('while its popup is open: signed in when it wakes, whoever took the response, and the code is sent once', async () => {
    const tab = await world.tab()
    await tab.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    const set = await lifecycle(tab)
    await set('frozen')
    await approve(popup)
    await set('active')
    await expect.poll(() => status(tab), { timeout: 10_000 }).toBe('signed_in')
    expect(await outcome(tab)).toMatchObject({ value: { status: 'signed_in' } })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('for longer than the callback page waits for it: authorize() ends with the login that was completed there', async () => {
    const tab = await world.tab()
    await tab.evaluate(
      (setup) => {
        localStorage.setItem('setup', JSON.stringify(setup))
        // A frozen page of this browser hears some messages and not others; this one hears all of them late.
        const set = Object.getOwnPropertyDescriptor(BroadcastChannel.prototype, 'onmessage')?.set
        Object.defineProperty(BroadcastChannel.prototype, 'onmessage', {
          set(hear: (event: MessageEvent) => void) {
            set?.call(this, (event: MessageEvent) => setTimeout(hear, 5_000, event))
          },
        })
      },
      { url: world.mcp.url },
    )
    const popup = await world.click(tab)
    await approve(popup)
    await ready(popup)
    expect(await outcome(popup)).toEqual({ value: { returnTo: '/notes' } })
    expect(await outcome(tab)).toMatchObject({ value: { status: 'signed_in' } })
    expect(await call(tab)).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })
})
