import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { scriptedAuthorization } from '../../servers/index.js'
import type { Tab } from '../support/engine.js'
import { firefoxEngine, privateFirefox } from '../support/firefox-engine.js'
import { consent, inBoth, set } from '../support/in-both.js'

const outcome = (tab: Tab) => tab.evaluate(() => window.app.outcome)
const status = (tab: Tab) => tab.evaluate(() => window.app.status)
const call = (tab: Tab) => tab.evaluate(() => window.app.call())
const refresh = (tab: Tab) => tab.evaluate(() => window.app.token({ refresh: true }))
const signedIn = { value: { status: 'signed_in' } }

inBoth('signing in', {}, (world) => {
  it('by a popup: the page stays, and the login outlives it', async () => {
    const tab = await world.signedIn()
    expect(await call(tab)).toEqual({ value: 200 })
    await tab.reload()
    await set(tab, { url: world.mcp.url })
    expect(await call(tab)).toEqual({ value: 200 })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('by a popup that is severed from the page (Cross-Origin-Opener-Policy): the answer comes all the same', async () => {
    world.site.headers['cross-origin-opener-policy'] = 'same-origin'
    const tab = await world.tab()
    // A browser without a screen has every window in front.
    await tab.evaluate(() => {
      document.hasFocus = () => false
    })
    await consent(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
  })

  it('by a popup that is closed: login_cancelled', async () => {
    const tab = await world.tab()
    const popup = await world.click(tab)
    await consent(popup, 'consent')
    await popup.close()
    await tab.bringToFront()
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled' })
  })

  it('by leaving the page and coming back', async () => {
    const setup = { url: world.mcp.url, agent: 'redirect' } as const
    const tab = await world.tab(setup)
    const moved = tab.moves()
    await tab.click('button')
    await moved
    await consent(tab)
    await expect.poll(() => tab.url()).toMatch(/\/returned\?code=/)
    await set(tab, setup)
    expect(await tab.evaluate(() => window.app.complete(location.href))).toEqual({ value: { returnTo: '/notes' } })
    expect(await call(tab)).toEqual({ value: 200 })
  })

  it('at a server whose answers the page may not read, which is told from one that is out of reach', async () => {
    await using server = await scriptedAuthorization()
    const tab = await world.tab({ url: server.url })
    expect(await call(tab)).toMatchObject({ code: 'interaction_required' })
    await tab.click('button')
    expect(await outcome(tab)).toMatchObject({
      code: 'cross_origin_blocked',
      received: expect.stringContaining('without Access-Control-Allow-Origin'),
    })
    await server.close()
    expect(await call(tab)).toMatchObject({ code: 'none of ours', message: expect.stringContaining('TypeError') })
    await tab.click('button')
    expect(await outcome(tab)).toMatchObject({ code: 'network_error' })
  })
})

inBoth('several tabs', { accessTokenTtlSeconds: 4 }, (world) => {
  it.each([2, 5])('%i whose token has expired call at once: one refresh, and every call succeeds', async (count) => {
    const tabs = [await world.signedIn()]
    while (tabs.length < count) tabs.push(await world.tab())
    await expect.poll(() => Promise.all(tabs.map(status))).toEqual(tabs.map(() => 'signed_in'))
    await new Promise((resolve) => setTimeout(resolve, 4_500))
    world.as.clearRequests()
    world.as.tokenEndpoint.delayMs = 300
    expect(await Promise.all(tabs.map(call))).toEqual(tabs.map(() => ({ value: 200 })))
    expect(world.grants).toEqual(['refresh_token'])
  })
})

inBoth('what happens in one tab', {}, (world) => {
  it('a sign-in and a sign-out, is seen in the others', async () => {
    const other = await world.tab()
    await expect.poll(() => status(other)).toBe('signed_out')
    const tab = await world.signedIn()
    await expect.poll(() => status(other)).toBe('signed_in')
    expect(await call(other)).toEqual({ value: 200 })
    await tab.evaluate(() => window.app.connection?.signOut())
    await expect.poll(() => status(other)).toBe('signed_out')
    expect(await call(other)).toMatchObject({ code: 'interaction_required' })
  })

  it('its end in the middle of a refresh, is followed up at once', async () => {
    const tab = await world.signedIn()
    const other = await world.tab()
    await expect.poll(() => status(other)).toBe('signed_in')
    let held = 0
    world.as.tokenEndpoint.intercept = () => (held++ === 0 ? { hang: true } : undefined)
    void refresh(tab).catch(() => undefined)
    await expect.poll(() => held).toBe(1)
    await tab.close()
    const began = performance.now()
    expect(await refresh(other)).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(await call(other)).toEqual({ value: 200 })
  })
})

inBoth('what is kept', {}, (world, engine) => {
  it('a key that a script of somebody else in the page cannot export; it can use the connection', async () => {
    const tab = await world.signedIn()
    const refused = await tab.evaluate(async () => {
      const done = <T>(asked: IDBRequest<T>): Promise<T> =>
        new Promise((resolve) => {
          asked.onsuccess = () => resolve(asked.result)
        })
      const db = await done(indexedDB.open('countersign'))
      const { key } = (await done(db.transaction('sealing').objectStore('sealing').get('key'))) as { key: CryptoKey }
      db.close()
      return crypto.subtle.exportKey('raw', key).then(
        () => 'exported',
        ({ name }) => name as string,
      )
    })
    expect(refused).toBe('InvalidAccessError')
    expect(await call(tab)).toEqual({ value: 200 })
  })

  it('no token in any file of the profile', async () => {
    const profile = await world.profile()
    const windows = await engine.inProfile(profile)
    let token = ''
    try {
      const tab = await world.signedIn(windows)
      const { value } = (await tab.evaluate(() => window.app.token())) as { value: string }
      token = value
    } finally {
      await windows.close()
    }
    const files = (await readdir(profile, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
    const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
    expect(texts.some((text) => text.includes('records'))).toBe(true)
    const [, , signature = token] = token.split('.')
    expect(texts.filter((text) => text.includes(token) || text.includes(signature))).toEqual([])
  })

  if (engine === firefoxEngine) {
    it('a login of a private window, as any other, until that is closed', async () => {
      const windows = await privateFirefox()
      try {
        const tab = await world.signedIn(windows)
        expect(await call(tab)).toEqual({ value: 200 })
        const other = await world.tab({}, windows)
        expect(await call(other)).toEqual({ value: 200 })
      } finally {
        await windows.close()
      }
    })
  }

  it('nothing, by a setting of the person: said by every call and by the status, and the popup closes again', async () => {
    const windows = await engine.inProfile(await world.profile(), true)
    try {
      const tab = await world.tab({}, windows)
      const denied = { code: 'store_unavailable', hint: expect.stringMatching(/a setting. Allow it.*memoryStore\(\)/) }
      await expect.poll(() => status(tab)).toBe('failed')
      expect(await call(tab)).toMatchObject(denied)
      const popup = await world.click(tab, windows)
      expect(await outcome(tab)).toMatchObject(denied)
      await expect.poll(() => popup.isClosed()).toBe(true)
    } finally {
      await windows.close()
    }
  })
})
