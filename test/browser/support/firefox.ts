import type { Browser, BrowserContext, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest'
import type { Setup } from '../site/app.js'
import { hasFirefox, launchFirefox } from './firefox-launch.js'
import { type Site, startSite } from './site.js'

/** A group of tests in Firefox; skipped by name where it is not installed. */
export const inFirefox: typeof describe = (hasFirefox ? describe : describe.skip) as typeof describe

/** A Firefox with an application in it; each test gets a context of its own, with nothing stored. */
export interface Firefox {
  readonly site: Site
  /** A tab with the application in it, set up. */
  tab(setup: Setup, path?: string): Promise<Page>
  /** Clicks the button, and returns the popup that this opens. */
  click(tab: Page): Promise<Page>
}

export function firefox(): Firefox {
  let browser: Browser
  let context: BrowserContext
  let site: Site
  beforeAll(async () => {
    browser = await launchFirefox()
  })
  beforeEach(async () => {
    context = await browser.createBrowserContext()
    site = await startSite()
  })
  afterEach(async () => {
    await context.close()
    await site[Symbol.asyncDispose]()
  })
  afterAll(() => browser.close())
  return {
    get site() {
      return site
    },
    async tab(setup, path = '/') {
      const tab = await context.newPage()
      await tab.goto(site.origin + path)
      await startIn(tab, setup)
      return tab
    },
    async click(tab) {
      const opened = new Promise<Page | null>((resolve) =>
        context.once('targetcreated', (target) => resolve(target.page())),
      )
      await tab.click('button')
      const popup = await opened
      if (popup === null) throw new Error('what was opened is no page')
      return popup
    },
  }
}

/** Sets the application up in a page that has loaded it. */
export async function startIn(tab: Page, setup: Setup): Promise<void> {
  await tab.waitForFunction(() => document.title === 'ready')
  await tab.evaluate((given) => window.app.start(given), setup)
}

/** A person at the authorization server's own pages, until the window has left them or is gone. */
export async function approveIn(window: Page, stopAt?: 'consent'): Promise<void> {
  for (let step = 0; step < 5 && !window.isClosed(); step++) {
    const arrived = await window
      .waitForSelector('form[action*="/interaction/"] [type=submit]', { timeout: 5_000 })
      .catch(() => undefined)
    if (!arrived) return
    if (await window.$('[name=password]')) {
      await window.type('[name=login]', 'alice')
      await window.type('[name=password]', 'any')
    } else if (stopAt === 'consent') return
    const leaving = window.waitForNavigation({ timeout: 5_000 }).catch(() => undefined)
    const closed = new Promise((resolve) => window.once('close', resolve))
    await window.click('[type=submit]').catch(() => undefined)
    await Promise.race([leaving, closed])
  }
}
