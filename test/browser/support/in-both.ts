import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { AuthorizationServer, AuthorizationServerOptions, McpServerUnderTest } from '../../servers/index.js'
import { realServers } from '../../support/real-servers.js'
import type { Setup } from '../site/app.js'
import { chromiumEngine } from './chromium-engine.js'
import type { Engine, Running, Tab, Windows } from './engine.js'
import { firefoxEngine } from './firefox-engine.js'
import { type Site, startSite } from './site.js'

/** An application, an authorization server and an MCP server, for a browser of either kind. */
export interface World {
  readonly site: Site
  readonly as: AuthorizationServer
  readonly mcp: McpServerUnderTest
  /** Token requests so far, by grant type. */
  readonly grants: readonly string[]
  /** A tab with the application in it, set up. */
  tab(setup?: Partial<Setup>, windows?: Windows): Promise<Tab>
  /** Clicks the button, and returns the popup that this opens. */
  click(tab: Tab, windows?: Windows): Promise<Tab>
  /** A tab that has signed in by a popup. */
  signedIn(windows?: Windows): Promise<Tab>
  /** A directory for a profile, for this test alone. */
  profile(): Promise<string>
}

/** A group of tests that runs in each browser, over the same site and servers; skipped by name where one is not installed. */
export function inBoth(
  name: string,
  options: AuthorizationServerOptions,
  tests: (world: World, engine: Engine) => void,
): void {
  for (const engine of [chromiumEngine, firefoxEngine]) {
    const group = engine.installed ? describe : describe.skip
    group(`${engine.name}: ${name}`, () => tests(worldOf(engine, options), engine))
  }
}

function worldOf(engine: Engine, options: AuthorizationServerOptions): World {
  let browser: Running
  let own: Windows
  let site: Site
  const servers = realServers({ as: { cors: true, ...options }, mcp: { cors: true } })
  const profiles: string[] = []
  beforeAll(async () => {
    browser = await engine.launch()
  })
  beforeEach(async () => {
    site = await startSite()
    own = await browser.windows()
  })
  afterEach(async () => {
    await own.close()
    await site[Symbol.asyncDispose]()
    for (const profile of profiles.splice(0)) await rm(profile, { recursive: true, force: true })
  })
  afterAll(async () => {
    await browser.close()
  })
  const world: World = {
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
    async tab(setup = {}, windows = own) {
      const tab = await windows.tab()
      await tab.goto(site.origin)
      await set(tab, { url: servers.mcp.url, ...setup })
      return tab
    },
    click: (tab, windows = own) => windows.popup(() => tab.click('button')),
    async signedIn(windows) {
      const tab = await world.tab({}, windows)
      await consent(await world.click(tab, windows))
      expect(await tab.evaluate(() => window.app.outcome)).toMatchObject({ value: { status: 'signed_in' } })
      return tab
    },
    async profile() {
      const profile = await mkdtemp(join(tmpdir(), 'countersign-profile-'))
      profiles.push(profile)
      return profile
    },
  }
  return world
}

/** Sets the application up in a page that has loaded it. */
export async function set(tab: Tab, setup: Setup): Promise<void> {
  await expect.poll(() => tab.evaluate(() => document.title).catch(() => ''), { timeout: 10_000 }).toBe('ready')
  await tab.evaluate((given) => window.app.start(given), setup)
}

/** A person at the authorization server's own pages, until the window has left them or is gone. */
export async function consent(window: Tab, stopAt?: 'consent'): Promise<void> {
  for (let step = 0; step < 5 && !window.isClosed(); step++) {
    if (!(await window.comes('form[action*="/interaction/"] [type=submit]'))) return
    if (await window.has('[name=password]')) {
      await window.fill('[name=login]', 'alice')
      await window.fill('[name=password]', 'any')
    } else if (stopAt === 'consent') return
    const moved = window.moves()
    await window.click('[type=submit]').catch(() => undefined)
    await moved
    if (window.isClosed() || !/interaction|\/auth/.test(window.url())) return
  }
}
