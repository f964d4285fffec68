import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import type {
  AuthorizationServer,
  AuthorizationServerOptions,
  McpServerOptions,
  McpServerUnderTest,
} from '../../servers/index.js'
import { realServers } from '../../support/real-servers.js'
import type { Setup } from '../site/app.js'
import { hasChromium, launchOptions } from './chromium.js'
import { type Site, startSite } from './site.js'

/** A browser, an application, an authorization server and an MCP server: four origins, as in life. */
export interface Pages {
  readonly context: BrowserContext
  readonly site: Site
  readonly as: AuthorizationServer
  readonly mcp: McpServerUnderTest
  /** Token requests so far, by grant type. */
  readonly grants: readonly string[]
  /** A tab with the application in it, set up. */
  tab(setup?: Partial<Setup>, path?: string): Promise<Page>
  /** Clicks the button, and returns the popup that this opens. */
  click(tab: Page): Promise<Page>
  /** A tab that has signed in by a popup. */
  signedIn(setup?: Partial<Setup>): Promise<Page>
}

/** A group of tests over pages; skipped by name where the browser is not installed. */
export const overPages: typeof describe = (hasChromium ? describe : describe.skip) as typeof describe

/** Starts all of it for the tests of a file; each test gets a context of its own, with nothing stored. */
export function pages(
  options: {
    readonly as?: AuthorizationServerOptions
    readonly mcp?: Omit<McpServerOptions, 'authorizationServer'>
    readonly launch?: LaunchOptions
  } = {},
): Pages {
  let browser: Browser
  let context: BrowserContext
  let site: Site
  const servers = realServers({ as: { cors: true, ...options.as }, mcp: { cors: true, ...options.mcp } })
  const thrown: Error[] = []
  beforeAll(async () => {
    if (!hasChromium) return
    browser = await chromium.launch({ ...launchOptions, ...options.launch })
  })
  beforeEach(async () => {
    if (!hasChromium) return
    site = await startSite()
    context = await browser.newContext()
    context.setDefaultTimeout(15_000)
    context.on('weberror', (error) => thrown.push(error.error()))
  })
  afterEach(async () => {
    if (!hasChromium) return
    await context.close()
    await site[Symbol.asyncDispose]()
    // Nothing is thrown past the application, and nothing breaks its policy.
    expect(thrown.splice(0)).toEqual([])
  })
  afterAll(async () => {
    if (!hasChromium) return
    await browser.close()
  })

  const self: Pages = {
    get context() {
      return context
    },
    get site() {
      return site
    },
    get as() {
      return servers.as
    },
    get mcp() {
      return servers.mcp
    },
    get grants() {
      return servers.grants
    },
    async tab(setup = {}, path = '/') {
      const tab = await context.newPage()
      await tab.goto(site.origin + path)
      await start(tab, { url: servers.mcp.url, ...setup })
      return tab
    },
    async click(tab) {
      const [popup] = await Promise.all([context.waitForEvent('page'), tab.click('button')])
      return popup
    },
    async signedIn(setup) {
      const tab = await self.tab(setup)
      await approve(await self.click(tab))
      expect(await outcome(tab)).toMatchObject({ value: { status: 'signed_in' } })
      return tab
    },
  }
  return self
}

/** Sets the application up in a page that has loaded it. */
export async function start(tab: Page, setup: Setup): Promise<void> {
  await ready(tab)
  await tab.evaluate((given) => window.app.start(given), setup)
}

export const ready = (tab: Page): Promise<unknown> => tab.waitForFunction(() => document.title === 'ready')

/** What came of the last click, or of the callback. */
export const outcome = (tab: Page) => tab.evaluate(() => window.app.outcome)

/**
 * A person at the authorization server's own pages, until the window has left them or is gone.
 *
 * @param stopAt - the page to stop at, before it is filled in
 */
export async function approve(window: Page, stopAt?: 'consent'): Promise<void> {
  for (let step = 0; step < 10 && !window.isClosed(); step++) {
    const arrived = await window
      .waitForSelector('form[action*="/interaction/"] [type=submit]', { timeout: 5_000 })
      .catch(() => undefined)
    if (arrived === undefined) return
    if (await window.locator('[name=password]').count()) {
      await window.fill('[name=login]', 'alice')
      await window.fill('[name=password]', 'any')
    } else if (stopAt === 'consent') return
    const leaving = window.waitForEvent('framenavigated').catch(() => undefined)
    await window.click('[type=submit]').catch(() => undefined)
    await Promise.race([leaving, window.waitForEvent('close').catch(() => undefined)])
    if (window.isClosed() || !/interaction|\/auth/.test(window.url())) return
  }
}
