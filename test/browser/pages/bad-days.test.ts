import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright'
import { expect, it } from 'vitest'
import { launchOptions } from '../support/chromium.js'
import { approve, outcome, overPages, pages, ready, start } from '../support/pages.js'

const status = (tab: Page) => tab.evaluate(() => window.app.status)
const call = (tab: Page) => tab.evaluate(() => window.app.call())
const refresh = (tab: Page) => tab.evaluate(() => window.app.token({ refresh: true }))
const signedIn = { value: { status: 'signed_in' } }

overPages('a page that is left, and brought back with the back button', () => {
  const world = pages({ launch: { ignoreDefaultArgs: ['--disable-back-forward-cache'] } })
  /** Whether it is the page that was left, out of the back-forward cache, and no new one. */
  const leave = async (tab: Page, leaving: () => Promise<unknown>): Promise<() => Promise<boolean>> => {
    await tab.evaluate(() => Object.assign(window, { before: true }))
    await leaving()
    return async () => {
      // One that was kept loads nothing.
      await tab.goBack({ waitUntil: 'commit' })
      return tab.evaluate(() => 'before' in window)
    }
  }

  it('in the middle of a refresh: another tab has it meanwhile, and it goes on with what that brought', async () => {
    const other = await world.signedIn()
    const tab = await world.tab()
    await expect.poll(() => status(tab)).toBe('signed_in')
    world.as.clearRequests()
    let held = 0
    world.as.tokenEndpoint.intercept = () => (held++ === 0 ? { hang: true } : undefined)
    await tab.evaluate(() => void window.app.token({ refresh: true }))
    await expect.poll(() => held).toBe(1)
    const back = await leave(tab, () => tab.goto(`${world.site.origin}/elsewhere`))
    const renewed = await refresh(other)
    expect(renewed).toMatchObject({ value: expect.any(String) })
    // What others tell it while it is away wakes nobody: the browser lets go of the page, and loads it anew.
    expect(await back()).toBe(false)
    await start(tab, { url: world.mcp.url })
    await expect.poll(() => tab.evaluate(() => window.app.token())).toEqual(renewed)
    expect(await call(tab)).toEqual({ value: 200 })
    expect(await refresh(tab)).toMatchObject({ value: expect.any(String) })
  })

  it('in the middle of a refresh that nobody else wants: it goes on where it was', async () => {
    const tab = await world.context.newPage()
    await (await world.signedIn()).close()
    await tab.goto(world.site.origin)
    await start(tab, { url: world.mcp.url })
    await expect.poll(() => status(tab)).toBe('signed_in')
    world.as.clearRequests()
    world.as.tokenEndpoint.delayMs = 1_000
    await tab.evaluate(() => void window.app.token({ refresh: true }))
    await expect.poll(() => world.grants).toEqual(['refresh_token'])
    const back = await leave(tab, () => tab.goto(`${world.site.origin}/elsewhere`))
    await tab.waitForTimeout(1_500)
    expect(await back()).toBe(true)
    expect(await call(tab)).toEqual({ value: 200 })
    expect(await tab.evaluate(() => window.app.connection?.getSnapshot())).toMatchObject({ refreshing: false })
    expect(await refresh(tab)).toMatchObject({ value: expect.any(String) })
    expect(world.grants).toEqual(['refresh_token', 'refresh_token'])
  })

  it('from the authorization server: it is as it was, and the next click signs in', async () => {
    const setup = { url: world.mcp.url, agent: 'redirect' } as const
    const tab = await world.tab(setup)
    const back = await leave(tab, async () => {
      await tab.click('button')
      await tab.waitForURL(/\/interaction\//)
    })
    expect(await back()).toBe(true)
    await expect.poll(() => status(tab)).toBe('signed_out')
    await tab.click('button')
    await tab.waitForURL(/\/interaction\//)
    await approve(tab)
    await start(tab, setup)
    expect(await tab.evaluate(() => window.app.complete(location.href))).toEqual({ value: { returnTo: '/notes' } })
    expect(world.grants).toEqual(['authorization_code'])
  })

  it('while its popup is open: signed in, by the page that the response came to', async () => {
    const tab = await world.tab()
    await tab.evaluate((setup) => localStorage.setItem('setup', JSON.stringify(setup)), { url: world.mcp.url })
    const popup = await world.click(tab)
    await approve(popup, 'consent')
    const back = await leave(tab, () => tab.goto(`${world.site.origin}/elsewhere`))
    await approve(popup)
    await ready(popup)
    expect(await outcome(popup)).toEqual({ value: { returnTo: '/notes' } })
    // What has opened a window that is still there is not kept.
    expect(await back()).toBe(false)
    await start(tab, { url: world.mcp.url })
    await expect.poll(() => status(tab)).toBe('signed_in')
    expect(world.grants).toEqual(['authorization_code'])
  })
})

/** A browser with a profile of its own on the disk. */
async function inProfile(profile: string, work: (context: BrowserContext) => Promise<unknown>): Promise<void> {
  const context = await chromium.launchPersistentContext(profile, launchOptions)
  try {
    await work(context)
  } finally {
    await context.close()
  }
}
const temporary = async (work: (profile: string) => Promise<unknown>): Promise<void> => {
  const profile = await mkdtemp(join(tmpdir(), 'countersign-profile-'))
  try {
    await work(profile)
  } finally {
    await rm(profile, { recursive: true, force: true })
  }
}

overPages('a disk that has no more room', () => {
  const world = pages()

  it('for a sign-in: said, and the next one goes through once there is some', () =>
    temporary((profile) =>
      inProfile(profile, async (context) => {
        const tab = await context.newPage()
        await tab.goto(world.site.origin)
        const session = await context.newCDPSession(tab)
        const { origin } = world.site
        await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
        await start(tab, { url: world.mcp.url })
        const full = { code: 'store_unavailable', hint: expect.stringMatching(/no room: free some.*memoryStore\(\)/) }
        await expect.poll(() => status(tab)).toBe('failed')
        const click = async () => (await Promise.all([context.waitForEvent('page'), tab.click('button')]))[0]
        const popup = await click()
        expect(await outcome(tab)).toMatchObject(full)
        await expect.poll(() => popup.isClosed()).toBe(true)
        await session.send('Storage.overrideQuotaForOrigin', { origin })
        await approve(await click())
        expect(await outcome(tab)).toMatchObject(signedIn)
      }),
    ))
})

overPages('a database that is damaged on the disk', () => {
  const world = pages()

  it('is an empty one when the browser starts again: nobody is signed in, and a sign-in goes through', () =>
    temporary(async (profile) => {
      const signIn = async (context: BrowserContext): Promise<unknown> => {
        const tab = await context.newPage()
        await tab.goto(world.site.origin)
        await start(tab, { url: world.mcp.url })
        await expect.poll(() => status(tab)).not.toBe('restoring')
        const before = await status(tab)
        const [popup] = await Promise.all([context.waitForEvent('page'), tab.click('button')])
        await approve(popup)
        return [before, await outcome(tab)]
      }
      await inProfile(profile, async (context) => {
        expect(await signIn(context)).toMatchObject(['signed_out', signedIn])
      })
      const files = await readdir(profile, { recursive: true, withFileTypes: true })
      const data = files.filter((file) => file.isFile() && file.parentPath.includes('.indexeddb.leveldb'))
      expect(data.length).toBeGreaterThan(0)
      for (const file of data) await writeFile(join(file.parentPath, file.name), 'not a database')
      await inProfile(profile, async (context) => {
        expect(await signIn(context)).toMatchObject(['signed_out', signedIn])
      })
    }))
})

overPages('a key that the browser has dropped, and records that it has kept', () => {
  const world = pages()

  it('are a clean start: nobody is signed in, the host is told, and a sign-in goes through', async () => {
    const before = await world.signedIn()
    await before.evaluate(
      () =>
        new Promise((resolve) => {
          const asked = indexedDB.open('countersign')
          asked.onsuccess = () => {
            const { result } = asked
            const table = result.transaction('sealing', 'readwrite').objectStore('sealing')
            table.delete('key').onsuccess = () => resolve(result.close())
          }
        }),
    )
    await before.close()
    const tab = await world.tab()
    await expect.poll(() => status(tab)).toBe('signed_out')
    expect(await call(tab)).toMatchObject({ code: 'interaction_required' })
    const told = await tab.evaluate(() => window.app.events.flatMap(({ diagnostic }) => diagnostic?.code ?? []))
    expect(told).toContain('record_discarded')
    await approve(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
    expect(await call(tab)).toEqual({ value: 200 })
  })
})

overPages('a page over http that is not on loopback', () => {
  const world = pages({ launch: { args: [...launchOptions.args, '--host-resolver-rules=MAP app.example 127.0.0.1'] } })

  it('is told that it needs https, by every call and by the status', async () => {
    const tab = await world.context.newPage()
    await tab.goto(world.site.origin.replace('127.0.0.1', 'app.example'))
    await start(tab, { url: world.mcp.url })
    const told = { code: 'insecure_context', hint: expect.stringContaining('https') }
    await expect.poll(() => status(tab)).toBe('failed')
    expect(await call(tab)).toMatchObject(told)
    const popup = await world.click(tab)
    expect(await outcome(tab)).toMatchObject(told)
    await expect.poll(() => popup.isClosed()).toBe(true)
  })
})
