import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import { approve, overPages, pages, ready, start } from '../support/pages.js'

overPages('a sign-in by leaving the page and coming back', () => {
  const world = pages()
  const begin = async (): Promise<Page> => {
    const tab = await world.tab({ agent: 'redirect' })
    await tab.click('button')
    await tab.waitForURL(/\/interaction\//)
    return tab
  }
  /** What the page at the redirect URI does when it is loaded. */
  const complete = async (tab: Page): Promise<unknown> => {
    await start(tab, { url: world.mcp.url, agent: 'redirect' })
    return tab.evaluate(() => window.app.complete(location.href))
  }
  const returned = { value: { returnTo: '/notes' } }

  it('survives the page loads, and brings back where the person was', async () => {
    const tab = await begin()
    await approve(tab)
    expect(tab.url()).toMatch(/\/returned\?code=/)
    expect(await complete(tab)).toEqual(returned)
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(await tab.evaluate(() => window.app.status)).toBe('signed_in')
  })

  it('whose page is loaded twice, and in two tabs at once, sends its code once', async () => {
    const tab = await begin()
    await approve(tab)
    const href = tab.url()
    const other = await world.context.newPage()
    await other.goto(href)
    expect(await Promise.all([complete(tab), complete(other)])).toEqual([returned, returned])
    await tab.reload()
    expect(await complete(tab)).toEqual(returned)
    for (const page of [tab, other]) expect(await page.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('gone through again with the back and forward buttons: the connection, and nothing is sent', async () => {
    const tab = await begin()
    await approve(tab)
    expect(await complete(tab)).toEqual(returned)
    await tab.evaluate(() => history.pushState(null, '', '/notes'))
    await tab.goto(`${world.site.origin}/elsewhere`)
    await tab.goBack()
    await tab.goBack()
    expect(tab.url()).toMatch(/\/returned\?code=/)
    await ready(tab)
    expect(await complete(tab)).toEqual(returned)
    await tab.goForward()
    await tab.goForward()
    await start(tab, { url: world.mcp.url })
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('left by the back button: the page is as it was, and the login can still be completed', async () => {
    const tab = await begin()
    await tab.goBack()
    await start(tab, { url: world.mcp.url, agent: 'redirect' })
    await expect.poll(() => tab.evaluate(() => window.app.status)).toBe('signed_out')
    await tab.goForward()
    await approve(tab)
    expect(await complete(tab)).toEqual(returned)
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('that another tab sees without being asked', async () => {
    const watching = await world.tab()
    const tab = await begin()
    await approve(tab)
    await complete(tab)
    await expect.poll(() => watching.evaluate(() => window.app.status)).toBe('signed_in')
  })

  it('that the person declines', async () => {
    const tab = await begin()
    await approve(tab, 'consent')
    await tab.click('text=Cancel')
    await tab.waitForURL(/\/returned\?/)
    expect(await complete(tab)).toMatchObject({ code: 'access_denied' })
    expect(await tab.evaluate(() => window.app.status)).toBe('failed')
  })

  it.each([
    ['opened by hand', '', 'state_mismatch'],
    ['for another state', '?code=c&state=other', 'login_not_found'],
    ['with two states', '?code=c&state=a&state=b', 'authorization_response_invalid'],
  ])('whose page is %s: a typed error', async (_name, search, code) => {
    const tab = await begin()
    await tab.goto(`${world.site.origin}/returned${search}`)
    expect(await complete(tab)).toMatchObject({ code })
    expect(world.grants).toEqual([])
  })

  it('whose page was given the code of another login: refused, and no token comes of it', async () => {
    const tab = await begin()
    await approve(tab)
    const own = new URL(tab.url())
    own.searchParams.set('code', 'of-somebody-else')
    await tab.goto(own.href)
    expect(await complete(tab)).toMatchObject({ code: 'token_request_rejected' })
    expect(await tab.evaluate(() => window.app.call())).toMatchObject({ code: 'interaction_required' })
  })

  it('of a page that keeps its logins in memory has nothing to come back to', async () => {
    const tab = await world.tab({ agent: 'redirect', store: 'memory' })
    await tab.click('button')
    await approve(tab)
    await start(tab, { url: world.mcp.url, agent: 'redirect', store: 'memory' })
    expect(await tab.evaluate(() => window.app.complete(location.href))).toMatchObject({ code: 'login_not_found' })
  })
})
