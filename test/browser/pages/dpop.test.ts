import { expect, it } from 'vitest'
import { approve, overPages, pages, start } from '../support/pages.js'

overPages('tokens that are bound to a key, in a page', () => {
  const world = pages({ as: { proofNonces: true }, mcp: { dpop: 'required' } })

  it('the key outlives the page, and no script can export it', async () => {
    world.mcp.nonce = 'nonce-of-the-resource'
    const tab = await world.tab({ agent: 'redirect', bound: true })
    await tab.click('button')
    await tab.waitForURL(/\/interaction\//)
    await approve(tab)
    await start(tab, { url: world.mcp.url, agent: 'redirect', bound: true })
    expect(await tab.evaluate(() => window.app.complete(location.href))).toEqual({ value: { returnTo: '/notes' } })
    expect(await tab.evaluate(() => window.app.call())).toEqual({ value: 200 })

    // Another page of the application, with what is in the database.
    const next = await world.tab({ bound: true })
    expect(await next.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(await next.evaluate(() => window.app.token({ refresh: true }))).toEqual({ value: expect.any(String) })
    expect(await next.evaluate(() => window.app.call())).toEqual({ value: 200 })
    expect(await next.evaluate(() => window.app.connection?.token().then(({ tokenType }) => tokenType))).toBe('DPoP')
    const exported = await next.evaluate(async () => {
      const keys = window.app.parts.indexedDbKeys()
      const [id = ''] = await keys.ids()
      const pair = await keys.load(id)
      return crypto.subtle.exportKey('jwk', pair!.privateKey).then(
        () => 'exported',
        (error: Error) => error.name,
      )
    })
    expect(exported).toBe('InvalidAccessError')

    await next.evaluate(() => window.app.connection?.signOut())
    await expect.poll(() => next.evaluate(() => window.app.parts.indexedDbKeys().ids())).toEqual([])
  })
})
