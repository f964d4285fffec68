import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  type McpServerUnderTest,
  scriptedAuthorization,
  startAuthorizationServer,
  startMcpServer,
} from '../../servers/index.js'
import { approveIn, firefox, inFirefox, startIn } from '../support/firefox.js'

const outcome = (tab: Page) => tab.evaluate(() => window.app.outcome)
const status = (tab: Page) => tab.evaluate(() => window.app.status)
const call = (tab: Page) => tab.evaluate(() => window.app.call())
const signedIn = { value: { status: 'signed_in' } }

inFirefox('in Firefox', () => {
  const world = firefox()
  let as: AuthorizationServer
  let mcp: McpServerUnderTest
  const grants = () => as.requests.flatMap(({ grant_type }) => grant_type ?? [])
  beforeAll(async () => {
    as = await startAuthorizationServer({ cors: true })
    mcp = await startMcpServer({ authorizationServer: as, cors: true })
  })
  beforeEach(() => {
    as.clearRequests()
    as.tokenEndpoint.intercept = undefined
    as.tokenEndpoint.delayMs = undefined
  })
  afterAll(async () => {
    await Promise.all([mcp.close(), as.close()])
    expect([...as.errors, ...mcp.errors]).toEqual([])
  })

  const signIn = async (): Promise<Page> => {
    const tab = await world.tab({ url: mcp.url })
    await approveIn(await world.click(tab))
    expect(await outcome(tab)).toMatchObject(signedIn)
    return tab
  }

  it('a popup signs in, the login outlives the page, and its key cannot be exported', async () => {
    const tab = await signIn()
    expect(await call(tab)).toEqual({ value: 200 })
    await tab.reload()
    await startIn(tab, { url: mcp.url })
    expect(await call(tab)).toEqual({ value: 200 })
    expect(grants()).toEqual(['authorization_code'])
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
  })

  it('a popup that is closed: login_cancelled', async () => {
    const tab = await world.tab({ url: mcp.url })
    const popup = await world.click(tab)
    await approveIn(popup, 'consent')
    await popup.close()
    await tab.bringToFront()
    expect(await outcome(tab)).toMatchObject({ code: 'login_cancelled' })
  })

  it('a page that leaves and comes back is signed in', async () => {
    const setup = { url: mcp.url, agent: 'redirect' } as const
    const tab = await world.tab(setup)
    await Promise.all([tab.waitForNavigation(), tab.click('button')])
    await approveIn(tab)
    expect(tab.url()).toMatch(/\/returned\?code=/)
    await startIn(tab, setup)
    expect(await tab.evaluate(() => window.app.complete(location.href))).toEqual({ value: { returnTo: '/notes' } })
    expect(await call(tab)).toEqual({ value: 200 })
  })

  it('tabs see what happens in each other, and refresh once', async () => {
    const other = await world.tab({ url: mcp.url })
    await expect.poll(() => status(other)).toBe('signed_out')
    const tab = await signIn()
    await expect.poll(() => status(other)).toBe('signed_in')
    as.clearRequests()
    as.tokenEndpoint.delayMs = 300
    const refresh = (page: Page) => page.evaluate(() => window.app.token({ refresh: true }))
    const [one, two] = await Promise.all([refresh(tab), refresh(other)])
    expect(one).toEqual(two)
    expect(grants()).toEqual(['refresh_token'])
    await tab.evaluate(() => window.app.connection?.signOut())
    await expect.poll(() => status(other)).toBe('signed_out')
  })

  it('a tab that is closed in the middle of a refresh is followed up at once', async () => {
    const tab = await signIn()
    const other = await world.tab({ url: mcp.url })
    let held = 0
    as.tokenEndpoint.intercept = () => (held++ === 0 ? { hang: true } : undefined)
    void tab.evaluate(() => window.app.token({ refresh: true })).catch(() => undefined)
    await expect.poll(() => held).toBe(1)
    await tab.close()
    const began = performance.now()
    expect(await other.evaluate(() => window.app.token({ refresh: true }))).toMatchObject({ value: expect.any(String) })
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(await call(other)).toEqual({ value: 200 })
  })

  it('an answer that the page may not read is told from a server that is out of reach', async () => {
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
